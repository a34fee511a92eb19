"""The `Prefer` header: how a caller wants to be answered."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Self

from penstock.contracts.contract import Contract

PREFER_HEADER = "Prefer"

# Grammar: RFC 7240 section 2. In a quoted string commas and semicolons mean nothing.
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:\\.|[^"\\])*"'
_QUOTED_STRING = re.compile(_QUOTED, re.DOTALL)
_MARK = re.compile('[,"]')
_LONGEST_HEADER = 4_096
"""A longer one is left to the container unread."""
_PREFERENCE = re.compile(
    rf"(?P<name>{_WORD})(?:\s*=\s*(?P<value>{_WORD}|{_QUOTED}))?\s*(?:;.*)?", re.DOTALL
)
_SECONDS = re.compile(r"\d{1,9}")


class Mode(StrEnum):
    """How a call is answered and what the container is told; the values are the vendor's."""

    SYNCHRONOUS = ""
    ASYNC = "respond-async"
    PROXY = "respond-async-proxy"
    CONTAINER = "respond-async-container"


class Preferences(Contract):
    """What is honoured of a `Prefer` header, and what is left to the container."""

    mode: Mode = Mode.SYNCHRONOUS
    wait: int | None = None
    """For how many seconds the caller would wait for the answer itself."""

    others: tuple[str, ...] = ()
    """Preferences we do not know, as they were written."""

    @classmethod
    def read(cls, header: str) -> Self:
        """Read a header, its lines joined with commas; what is malformed counts as unknown.

        Of several modes, and of several waits, the first counts.
        """
        if len(header) > _LONGEST_HEADER:
            return cls(others=(header.strip(),))
        modes: list[Mode] = []
        waits: list[int] = []
        others: list[str] = []
        for element, name, value in _elements(header):
            if name in _MODES and not value:
                modes.append(_MODES[name])
            elif name == "wait" and _SECONDS.fullmatch(value):
                waits.append(int(value))
            else:
                others.append(element)
        return cls(
            mode=next(iter(modes), Mode.SYNCHRONOUS),
            wait=next(iter(waits), None),
            others=tuple(others),
        )

    @property
    def for_container(self) -> str | None:
        """The `Prefer` header that the container receives."""
        if self.mode in {Mode.PROXY, Mode.CONTAINER}:
            return Mode.ASYNC.value
        # To the container a call answered by us at once is an ordinary one.
        return None if self.mode is Mode.ASYNC else ", ".join(self.others) or None

    def wait_seconds(self, most: float) -> float:
        """Return how long the answer may be waited for; never longer than `most`."""
        if self.mode is Mode.PROXY or (self.mode is Mode.ASYNC and self.wait is None):
            return 0
        return most if self.wait is None else min(self.wait, most)

    def applied(self, most: float) -> str | None:
        """Return the `Preference-Applied` header (RFC 7240 section 3); no wait beyond `most` is."""
        is_kept = self.wait is not None and self.mode is not Mode.PROXY and self.wait <= most
        return ", ".join(filter(None, (self.mode, f"wait={self.wait}" if is_kept else ""))) or None


_MODES = {mode.value: mode for mode in Mode if mode}


def elements_of(header: str) -> Iterator[str]:
    """Yield what stands between commas, each character looked at once or twice."""
    begin = at = 0
    may_close = True
    while mark := _MARK.search(header, at):
        at = mark.end()
        if mark[0] == ",":
            yield header[begin : mark.start()]
            begin = at
        elif may_close and (quoted := _QUOTED_STRING.match(header, mark.start())):
            at = quoted.end()
        else:
            may_close = False  # a quote that is never closed is a character; so is any after it
    yield header[begin:]


def _elements(header: str) -> Iterator[tuple[str, str, str]]:
    """Yield each element with the name, in lower case, and the value of its preference."""
    for found in elements_of(header):
        element = found.strip()
        if preference := _PREFERENCE.fullmatch(element):
            yield element, preference["name"].lower(), _unquoted(preference["value"] or "")
        elif element:
            yield element, "", ""


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
