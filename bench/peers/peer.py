"""Starting a peer in an environment of its own, and what its processes cost."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from penstock.contracts.errors import PenstockError

SERVERS = Path(__file__).parent / "servers"
_READY_SECONDS = 90.0
_PROBE_SECONDS = 0.2
_STOP_SECONDS = 5
_PYTHON = "3.11"


class PeerError(PenstockError):
    """The peer could not be installed, started or called."""


@dataclass(frozen=True)
class Peer:
    """A server of models over HTTP."""

    name: str
    packages: Sequence[str]
    argv: Sequence[str]
    path: str
    body: bytes
    queues: bool = True
    """Whether it lets calls wait; else a caller that comes too early is refused."""

    def command(self, port: int) -> list[str]:
        """Return what starts it on a port."""
        return environment_of(self.packages) + [part.format(port=port) for part in self.argv]


def environment_of(packages: Sequence[str]) -> list[str]:
    """Return the start of a command that runs in an environment with these packages."""
    wanted = [part for package in packages for part in ("--with", package)]
    return ["uv", "run", "--no-project", "--quiet", "--python", _PYTHON, *wanted]


@dataclass(frozen=True)
class Started:
    """A process with all that it started."""

    process: psutil.Popen

    def cpu_seconds(self) -> float:
        """Return what it has used so far, without processes that have ended."""
        used = 0.0
        for each in (self.process, *self.process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                used += times.user + times.system
        return used


@contextlib.contextmanager
def started(
    command: Sequence[str], environment: dict[str, str], folder: Path = SERVERS
) -> Iterator[Started]:
    """Run a process and what it starts while the block runs; its output goes to a file."""
    with tempfile.NamedTemporaryFile() as log:
        process = psutil.Popen(
            command,
            env={**os.environ, **environment},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        family: list[psutil.Process] = []
        try:
            yield Started(process)
        except (OSError, EOFError) as error:
            said = Path(log.name).read_text(errors="replace")[-500:]
            raise PeerError(f"{error}: {said}") from error
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                family = [process, *process.children(recursive=True)]
            for each in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.terminate()
            _, alive = psutil.wait_procs(family, timeout=_STOP_SECONDS)
            for each in alive:
                each.kill()


def wait_for(works: Callable[[], None], running: Started) -> None:
    """Call until it raises no `OSError`; raise it once the peer has ended or takes too long."""
    give_up_at = time.monotonic() + _READY_SECONDS
    while True:
        try:
            works()
        except OSError:
            if not running.process.is_running() or time.monotonic() > give_up_at:
                raise
            time.sleep(_PROBE_SECONDS)
        else:
            return
