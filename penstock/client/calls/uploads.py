"""Sending bytes to the place of an upload."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path

import httpx

from penstock.client.errors import PenstockApiError
from penstock.contracts.http.native import UploadPlace

Source = Path | bytes
"""A file, which is read piece by piece, or the bytes themselves."""

_PIECE = 1024 * 1024


def put_request(place: UploadPlace, source: Source) -> httpx.Request:
    """Return the call that sends the bytes; the key does not belong to it."""
    content = source if isinstance(source, bytes) else _pieces(source)
    return _request(place, source, content)


def async_put_request(place: UploadPlace, source: Source) -> httpx.Request:
    """Return the same for an event loop."""
    content = source if isinstance(source, bytes) else _async_pieces(source)
    return _request(place, source, content)


def is_there_already(error: PenstockApiError) -> bool:
    """Whether an attempt before got through: what is written once is not written again."""
    return error.status_code == HTTPStatus.PRECONDITION_FAILED


def _request(
    place: UploadPlace, source: Source, content: bytes | Iterator[bytes] | AsyncIterator[bytes]
) -> httpx.Request:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    # S3 takes no body of unknown length.
    headers = {**place.headers, "Content-Length": str(size)}
    return httpx.Request(place.method, place.url, headers=headers, content=content)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece


async def _async_pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := await asyncio.to_thread(opened.read, _PIECE):
            yield piece
