"""Bytes, or a file of them."""

import os

from penstock.contracts.ports.objects import Content


def size_of(content: Content) -> int:
    """Return the number of bytes; a file is left at its end."""
    return len(content) if isinstance(content, bytes) else content.seek(0, os.SEEK_END)


def rewound(content: Content) -> Content:
    """Return the content to be read from its start."""
    if not isinstance(content, bytes):
        content.seek(0)
    return content


def in_memory(content: Content) -> bytes:
    """Return all bytes."""
    if isinstance(content, bytes):
        return content
    content.seek(0)
    return content.read()
