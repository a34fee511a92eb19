"""Whose process runs a local stack, and how a stack is ended from outside."""

import contextlib
import os

import psutil
from pydantic import ValidationError

from penstock.contracts.contract import Contract
from penstock.contracts.errors import PenstockError
from penstock.local.processes import end_all, end_marked
from penstock.local.state import StackEnd, StateFolder

_GOODBYE_SECONDS = 20.0
"""A supervisor ends its own processes; it gets this long."""

_GRACE_SECONDS = 5.0


class AlreadyRunningError(PenstockError):
    """A stack runs in this state folder."""

    def __init__(self, pid: int, state: StateFolder) -> None:
        super().__init__(
            f"a local stack runs here already (process {pid});"
            " look at it with 'penstock local status', stop it with 'penstock local down'"
        )
        self.pid = pid
        self.state = state


class Supervisor(Contract):
    """A process, told apart from a later one with the same id."""

    pid: int
    created_at: float

    @classmethod
    def this_process(cls) -> "Supervisor":
        """Return the process that asks."""
        return cls(pid=os.getpid(), created_at=psutil.Process().create_time())

    @classmethod
    def find(cls, state: StateFolder) -> psutil.Process | None:
        """Return the process that runs the stack, or `None`."""
        try:
            written = cls.model_validate_json(state.supervisor.read_bytes())
            process = psutil.Process(written.pid)
        except (FileNotFoundError, ValidationError, psutil.NoSuchProcess):
            return None
        is_same = process.create_time() == written.created_at
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None


def check_free(state: StateFolder) -> None:
    """Raise `AlreadyRunningError` if a stack runs in `state`."""
    if running := Supervisor.find(state):
        raise AlreadyRunningError(running.pid, state)


def how_it_ended(state: StateFolder) -> str | None:
    """Return when and why the last stack in `state` ended; `None` if there was none."""
    with contextlib.suppress(FileNotFoundError, ValidationError):
        end = StackEnd.model_validate_json(state.end.read_bytes())
        return f"ended at {end.at:%Y-%m-%d %H:%M:%S} UTC: {end.reason}"
    if state.supervisor.exists():
        return (
            "ended without a word, as a killed process does"
            " ('penstock local down' ends what is left of it)"
        )
    return None


def take_over(state: StateFolder) -> None:
    """Make this process the supervisor, and end what a dead one left.

    Raises:
        AlreadyRunningError: another supervisor is alive.
    """
    check_free(state)
    end_marked(state.path, _GRACE_SECONDS)
    state.prepare()
    state.write(state.supervisor, Supervisor.this_process())


def bring_down(state: StateFolder) -> int:
    """End the stack, whether its supervisor lives or not; return how many processes ended."""
    ended = 0
    if supervisor := Supervisor.find(state):
        supervisor.terminate()
        _, alive = psutil.wait_procs([supervisor], timeout=_GOODBYE_SECONDS)
        end_all(alive, _GRACE_SECONDS)
        ended = 1
    ended += end_marked(state.path, _GRACE_SECONDS)
    state.forget()
    return ended
