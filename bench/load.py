"""An HTTP load of our own: what it costs is next to nothing, so what it meets is the server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from penstock.contracts.errors import PenstockError

_LENGTH = b"content-length:"


class LoadError(PenstockError):
    """The server did not answer as it should."""


class Load(NamedTuple):
    """What came of a load."""

    seconds: float
    latencies: Sequence[float]
    """Of each call, in seconds."""

    @property
    def per_second(self) -> float:
        """How many calls were answered in a second."""
        return len(self.latencies) / self.seconds


async def load(url: str, body: bytes, calls: int, connections: int) -> Load:
    """POST `body` to `url` over connections that stay open, each waiting for its answer.

    Raises:
        LoadError: an answer was no success.
    """
    latencies: list[float] = []
    numbers = iter(range(calls))

    async def keep_calling() -> None:
        async with post(url, body) as call:
            for _ in numbers:
                started = time.monotonic()
                await call()
                latencies.append(time.monotonic() - started)

    started = time.monotonic()
    await asyncio.gather(*(keep_calling() for _ in range(connections)))
    return Load(time.monotonic() - started, latencies)


@asynccontextmanager
async def post(url: str, body: bytes) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
    """Yield a call that POSTs `body` and returns the answer's, over one connection."""
    at = urlsplit(url)
    head = (
        f"POST {at.path or '/'} HTTP/1.1\r\nHost: {at.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(at.hostname, at.port)

    async def call() -> bytes:
        writer.write(head.encode() + body)
        return await _answer(reader)

    try:
        yield call
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    at = head.find(_LENGTH)
    if at >= 0:
        body = await reader.readexactly(int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]))
    else:
        body = await _chunks(reader)
    if not head.startswith((b"http/1.1 20", b"http/1.0 20")):
        raise LoadError(f"{head.splitlines()[0].decode()}: {body[:500].decode(errors='replace')}")
    return body


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
