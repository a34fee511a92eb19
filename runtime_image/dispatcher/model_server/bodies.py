"""Bodies of any size: what is small stays in memory, the rest lies in files without a name."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from tempfile import TemporaryFile
from typing import BinaryIO, ParamSpec, TypeVar

import aiohttp

from penstock.contracts.errors import PenstockError
from penstock.contracts.ports.objects import Content

IN_MEMORY_BYTES = 1024**2
"""The longest body that is held in memory, and what is read or written at once beyond it."""

_CHUNK_BYTES = 256 * 1024

P = ParamSpec("P")
T = TypeVar("T")


class BodyTooLargeError(PenstockError):
    """The body is longer than allowed."""


class SpoolError(PenstockError):
    """The worker's disk takes no more; the text says why."""


async def chunks_of(file: BinaryIO) -> AsyncIterator[bytes]:
    """Yield what `file` holds, from its start; any number may read it at once."""
    file.flush()
    offset = 0
    # Without the file's own position: a call that was given up may still be reading.
    while chunk := await asyncio.to_thread(os.pread, file.fileno(), _CHUNK_BYTES, offset):
        yield chunk
        offset += len(chunk)


async def body_of(response: aiohttp.ClientResponse, max_bytes: int) -> Content:
    """Return the body of `response`; a file is the caller's to close.

    Raises:
        BodyTooLargeError: it is longer than `max_bytes`.
        SpoolError: it cannot be kept on disk.
    """
    body = _Arriving(max_bytes)
    try:
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            await body.add(chunk)
        return await body.whole()
    except BaseException:
        body.drop()
        raise


class _Arriving:
    """A body of which a part has come."""

    def __init__(self, max_bytes: int) -> None:
        self._bytes_left = max_bytes
        self._in_memory = bytearray()
        self._file: BinaryIO | None = None

    async def add(self, chunk: bytes) -> None:
        self._bytes_left -= len(chunk)
        if self._bytes_left < 0:
            raise BodyTooLargeError
        self._in_memory += chunk
        if len(self._in_memory) > IN_MEMORY_BYTES:
            if self._file is None:
                self._file = await _on_disk(_unnamed_file)
            await self._spill(self._file)

    async def whole(self) -> Content:
        if self._file is None:
            return bytes(self._in_memory)
        await self._spill(self._file)
        await _on_disk(self._file.flush)
        return self._file

    def drop(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk, once more
                self._file.close()

    async def _spill(self, file: BinaryIO) -> None:
        await _on_disk(file.write, self._in_memory)
        self._in_memory = bytearray()


def _unnamed_file() -> BinaryIO:
    """Return a file that is gone with this process at the latest."""
    return TemporaryFile()


async def _on_disk(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(call, *args, **kwargs)
    except OSError as error:
        raise SpoolError(f"the answer cannot be kept on disk: {error}") from error
