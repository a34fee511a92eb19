"""Programs that run while the facts are checked, and end with them."""

import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_STOP_SECONDS = 10.0
_PAUSE_SECONDS = 0.1


class Running:
    """A process whose output goes into a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                env=None if environment is None else dict(environment),
            )

    def check(self) -> None:
        """Raise if it has ended."""
        if self._process.poll() is not None:
            last = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise AssertionError(f"{self.name} ended with {self._process.returncode}:\n{last}")

    def stop(self) -> None:
        """End it, by force if it takes long."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def eventually(
    look: Callable[[], T | None], seconds: float, what: str, *, running: Sequence[Running] = ()
) -> T:
    """Return what `look` finds, once it finds something; raise after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        for process in running:
            process.check()
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}; the last look found {found!r}")
        time.sleep(_PAUSE_SECONDS)


def becomes(look: Callable[[], T], wanted: T, seconds: float, what: str) -> None:
    """Wait until `look` returns `wanted`; raise after so many seconds with what it returned."""
    last: list[T] = []

    def looked() -> bool:
        last[:] = [look()]
        return last[0] == wanted

    try:
        eventually(looked, seconds, what)
    except AssertionError as error:
        raise AssertionError(f"{what}: {last[0]!r} instead of {wanted!r}") from error
