"""Where a trace stands when it goes from one process to the next: X-Ray's header and the W3C's."""

import re
from typing import NamedTuple, Self

XRAY_VARIABLE = "_X_AMZN_TRACE_ID"
"""Where Lambda puts the header of the invocation at hand."""

_XRAY_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_XRAY_PARENT = re.compile(r"[0-9a-f]{16}")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 1  # the one flag that the W3C defines


class TraceContext(NamedTuple):
    """A trace, and who comes before in it."""

    trace_id: str
    """32 hexadecimal digits."""

    parent_id: str
    """16 hexadecimal digits."""

    is_sampled: bool
    """Whether whoever continues the trace is to record it."""

    @classmethod
    def of_xray(cls, header: str) -> Self | None:
        """Read `Root=…;Parent=…;Sampled=…`; `None` if it names no trace and parent."""
        fields = dict(part.strip().partition("=")[::2] for part in header.split(";"))
        root = _XRAY_ROOT.fullmatch(fields.get("Root", ""))
        parent = _XRAY_PARENT.fullmatch(fields.get("Parent", ""))
        if root is None or parent is None:
            return None
        return cls("".join(root.groups()), parent[0], fields.get("Sampled") == "1")

    @classmethod
    def of_traceparent(cls, header: str | None) -> Self | None:
        """Read a W3C `traceparent` of version 00; `None` if it is not one."""
        found = _TRACEPARENT.fullmatch(header or "")
        if found is None:
            return None
        return cls(found[1], found[2], bool(int(found[3], 16) & _SAMPLED))

    @property
    def traceparent(self) -> str:
        """The W3C's header."""
        return f"00-{self.trace_id}-{self.parent_id}-{int(self.is_sampled):02x}"

    @property
    def xray_trace_id(self) -> str:
        """The trace as X-Ray's console and the functions' logs name it."""
        return f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"
