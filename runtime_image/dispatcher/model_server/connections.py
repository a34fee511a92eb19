"""Connections to the model server: those that are kept for the next call, and fresh ones."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import WeakSet

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

_use: ContextVar["Use | None"] = ContextVar("use", default=None)


class Use:
    """How the call that is made in its context uses a connection."""

    def __init__(self) -> None:
        self.is_reused = False
        self._outer = _use.set(self)

    def end(self) -> None:
        """Note no more."""
        _use.reset(self._outer)


class _KeptConnections(aiohttp.TCPConnector):
    """Tells a call whether its connection had one before; a trace would cost far more."""

    def __init__(self, keepalive_seconds: float) -> None:
        super().__init__(limit=0, keepalive_timeout=keepalive_seconds)
        self._used: WeakSet[object] = WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        if (use := _use.get()) is not None:
            use.is_reused = connection.protocol in self._used
        self._used.add(connection.protocol)
        return connection


@dataclass(frozen=True)
class Connections:
    """Where calls go out."""

    kept: aiohttp.ClientSession
    fresh: aiohttp.ClientSession
    """With a connection of its own for each call."""


@asynccontextmanager
async def connections_of(
    keepalive_seconds: float, longest_header_bytes: int
) -> AsyncIterator[Connections]:
    """Yield connections to a server on this machine."""

    def session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # one caller's cookies are not another's
            timeout=aiohttp.ClientTimeout(total=None),
            max_line_size=longest_header_bytes,
            max_field_size=longest_header_bytes,
            trust_env=False,
        )

    fresh = aiohttp.TCPConnector(limit=0, force_close=True)
    async with session(_KeptConnections(keepalive_seconds)) as kept, session(fresh) as once:
        yield Connections(kept=kept, fresh=once)


def is_unread(error: aiohttp.ClientError) -> bool:
    """Whether the server closed a connection with a call in it that it had not read.

    The kernel resets it then: a server that stood still closes what it takes for idle when it goes
    on. One that dies over a call has read it, and its connection ends without a reset.
    """
    return isinstance(error, aiohttp.ClientOSError) and error.errno == errno.ECONNRESET


def is_unanswered(error: aiohttp.ClientError) -> bool:
    """Whether a connection was lost before anything of an answer had come."""
    # aiohttp puts there what it had read of the answer's head.
    is_partly_read = isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(
        error.message, str
    )
    return not is_partly_read
