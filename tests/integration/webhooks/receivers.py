"""Receivers of webhooks on loopback that behave as a test wants, mostly badly."""

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

Behaviour = Callable[["Call"], None]


@dataclass
class Server:
    """A listening receiver, and what it saw."""

    address: str
    port: int
    closing: Event = field(default_factory=Event)
    requests: list[bytes] = field(default_factory=list)
    """Head and body of each call that was read."""

    names: list[str | None] = field(default_factory=list)
    """What callers named in their TLS handshakes."""

    connections: int = 0


@dataclass(frozen=True)
class Call:
    """One connection, from the receiver's side."""

    connection: socket.socket
    server: Server

    def read(self) -> bytes:
        """Read the whole of a request and remember it."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.connection.recv(65_536)
        head = received.partition(b"\r\n\r\n")[0]
        (length,) = [
            int(line.partition(b":")[2])
            for line in head.splitlines()
            if line.lower().startswith(b"content-length:")
        ]
        while len(received) < len(head) + 4 + length:
            received += self.connection.recv(65_536)
        self.server.requests.append(received)
        return received

    def answer(self, content: bytes) -> None:
        """Send some bytes of an answer."""
        self.connection.sendall(content)

    def answer_for_ever(self, content: bytes, every_seconds: float = 0) -> None:
        """Send the same bytes until nobody takes them any more."""
        while not self.server.closing.wait(every_seconds):
            self.answer(content)

    def say_nothing(self) -> None:
        """Keep the connection and send nothing."""
        self.server.closing.wait(10)

    def reset(self) -> None:
        """End the connection at once, with RST."""
        now = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)


def answering(status: str, *headers: str, body: bytes = b"") -> Behaviour:
    """Return a receiver that reads everything and answers properly."""

    def answer(call: Call) -> None:
        call.read()
        head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
        call.answer(f"{head}\r\n\r\n".encode() + body)

    return answer


@contextmanager
def serving(
    behaviour: Behaviour,
    *,
    tls: ssl.SSLContext | None = None,
    address: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Server]:
    """Let a receiver listen until the end."""
    with socket.create_server((address, port)) as listening, ThreadPoolExecutor() as threads:
        server = Server(address, listening.getsockname()[1])
        if tls:
            tls.sni_callback = lambda _socket, name, _context: server.names.append(name)

        def serve(connection: socket.socket) -> None:
            # A caller that leaves in the middle is what many tests want.
            with contextlib.suppress(OSError):
                wrapped = tls.wrap_socket(connection, server_side=True) if tls else connection
                with wrapped:
                    behaviour(Call(wrapped, server))
            connection.close()

        def accept() -> None:
            while not server.closing.is_set():
                connection, _ = listening.accept()
                if not server.closing.is_set():
                    server.connections += 1
                    connection.settimeout(10)
                    threads.submit(serve, connection)
                else:
                    connection.close()

        threads.submit(accept)
        try:
            yield server
        finally:
            server.closing.set()
            socket.create_connection((address, server.port)).close()
