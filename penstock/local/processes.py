"""Child processes of the local stack: started with a marker, so that `down` always finds them."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MARKER = "PENSTOCK_LOCAL_STACK"
"""Environment variable of every process of a stack; its value is the stack's state folder."""

_INHERITED = (
    "PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
    "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip

_ROUNDS = 3
"""A process that is just being started shows no mark yet; the next look finds it."""


def inherited_environment() -> dict[str, str]:
    """Return what a child may see of the caller's environment: no credentials, no settings."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, kw_only=True)
class Command:
    """How to start a process."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path


class Child:
    """A running process in a session of its own, so that the terminal's Ctrl-C passes it by."""

    def __init__(self, command: Command, process: asyncio.subprocess.Process) -> None:
        self.name = command.name
        self.log = command.log
        self._process = process

    @classmethod
    async def start(cls, command: Command, state_folder: Path) -> "Child":
        """Start `command`; its output is appended to its log."""
        with command.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=command.folder,
                env={**command.environment, MARKER: str(state_folder)},
                start_new_session=True,
            )
        return cls(command, process)

    @property
    def pid(self) -> int:
        """The process id; also its process group's."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for the end; return the exit status."""
        return await self._process.wait()

    def kill(self) -> None:
        """End the process and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL to the whole group once the grace is over."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ended(), grace_seconds)
        self.kill()
        await self.ended()


def find_marked(state_folder: Path) -> list[psutil.Process]:
    """Return every process of the stack in `state_folder`, other than this one."""
    found = []
    for process in psutil.process_iter():
        # Another user's process, or one that just ended, is none of ours.
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARKER) == str(state_folder):
                found.append(process)
    return found


def end_all(processes: Sequence[psutil.Process], grace_seconds: float) -> None:
    """SIGTERM to all, then SIGKILL to those that are left after the grace."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=grace_seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=grace_seconds)


def end_marked(state_folder: Path, grace_seconds: float) -> int:
    """End every process of the stack in `state_folder`; return how many there were."""
    ended = 0
    for _ in range(_ROUNDS):
        if not (found := find_marked(state_folder)):
            break
        end_all(found, grace_seconds)
        ended += len(found)
    return ended
