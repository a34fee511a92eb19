"""Asking the machine's resolver for the addresses of a name."""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread

from penstock.contracts.ports.webhooks import UnreachableReceiverError

Resolve = Callable[[str], Sequence[str]]
"""Returns every address of a name, best first; raises `UnreachableReceiverError` if it has none."""


def resolve(host: str) -> Sequence[str]:
    """Return the addresses that the operating system finds for `host`."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableReceiverError(f"{host} has no address: {error.strerror}") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def resolve_within(resolve: Resolve, host: str, timeout_seconds: float) -> Sequence[str]:
    """Return what `resolve` does, or raise `TimeoutError`.

    The operating system's resolver cannot be given a limit. A lookup that exceeds ours goes on in
    a thread of its own, until the system's limit ends it: a pool of threads could be used up by
    names whose servers never answer.
    """
    found: Future[Sequence[str]] = Future()

    def look_up() -> None:
        try:
            found.set_result(resolve(host))
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
            found.set_exception(error)

    Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    return found.result(timeout_seconds)
