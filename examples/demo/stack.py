"""The local stack: the one that runs, or one of our own that is stopped at the end."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from penstock.contracts.errors import PenstockError
from penstock.contracts.stack.local_stack import LocalStack

_PENSTOCK = str(Path(sys.executable).with_name("penstock"))


class NoStackError(PenstockError):
    """The local stack could not be started."""


@contextmanager
def local_stack() -> Iterator[LocalStack]:
    """Give a running local stack; leave it as it was found."""
    if running := _answering():
        yield running
        return
    try:
        up = subprocess.run([_PENSTOCK, "local", "up", "--detach"], check=False)
        started = _answering()
        if up.returncode != 0 or started is None:
            raise NoStackError("the local stack did not start; 'penstock local logs' may say why")
        yield started
    finally:
        subprocess.run([_PENSTOCK, "local", "down"], check=False)


def _answering() -> LocalStack | None:
    """Return the local stack if it answers; a crashed one leaves its file behind."""
    stack = LocalStack.find(Path.cwd())
    if stack is None:
        return None
    try:
        httpx.get(stack.front_url, trust_env=False)
    except httpx.TransportError:
        return None
    return stack
