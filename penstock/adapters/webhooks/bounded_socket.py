"""A connection that cannot be kept busy: a limit for the time of all calls, one for all bytes."""

import io
import socket
import time
from typing import TYPE_CHECKING

from penstock.contracts.ports.webhooks import UnreachableReceiverError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Deadline:
    """A moment after which nothing is waited for."""

    def __init__(self, timeout_seconds: float) -> None:
        self._at = time.monotonic() + timeout_seconds

    def remaining_seconds(self) -> float:
        """Return how long may still be waited; raise `TimeoutError` if no longer."""
        remaining = self._at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class BoundedSocket:
    """What `http.client` needs of a socket.

    A socket's own timeout starts anew with every byte that a peer trickles; here each call may
    only use what earlier calls left.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline, readable_bytes: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._readable_bytes = readable_bytes

    def sendall(self, data: bytes) -> None:
        """Send everything, or raise `TimeoutError`."""
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(self._deadline.remaining_seconds())
            rest = rest[self._sock.send(rest) :]

    def receive_into(self, buffer: memoryview) -> int:
        """Receive some bytes; 0 means that the peer closed."""
        if self._readable_bytes == 0:
            raise UnreachableReceiverError("the head of its answer is too long")
        self._sock.settimeout(self._deadline.remaining_seconds())
        count = self._sock.recv_into(buffer[: self._readable_bytes])
        self._readable_bytes -= count
        return count

    def makefile(self, *_: object) -> io.BufferedReader:
        """Return the bytes that arrive as a file."""
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()


class _Incoming(io.RawIOBase):
    def __init__(self, sock: BoundedSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return self._sock.receive_into(memoryview(buffer))
