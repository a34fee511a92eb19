"""A time zone of our own, whose summer time begins when a test wants."""

import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

_HEADER = struct.Struct(">4s1s15x6I")
_OFFSET = struct.Struct(">iBB")


def write_zone(path: Path, *, change: datetime, before: timedelta, after: timedelta) -> None:
    """Write a file as of RFC 9636 whose offset to UTC changes once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    offsets = [int(before.total_seconds()), int(after.total_seconds())]
    path.write_bytes(
        # Readers that know 64 bits, as Go and Python do, skip the first part.
        _part([int(change.timestamp())], offsets, "i")
        + _part([int(change.timestamp())], offsets, "q")
        + b"\n\n"
    )


def _part(changes: Sequence[int], offsets: Sequence[int], width: str) -> bytes:
    names = b"STD\0DST\0"
    header = _HEADER.pack(b"TZif", b"2", 0, 0, 0, len(changes), len(offsets), len(names))
    times = struct.pack(f">{len(changes)}{width}", *changes)
    kinds = bytes(range(1, len(changes) + 1))
    types = b"".join(_OFFSET.pack(offset, at, 4 * at) for at, offset in enumerate(offsets))
    return header + times + kinds + types + names
