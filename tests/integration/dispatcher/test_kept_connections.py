"""Connections that are kept for the next call, and what a server may do to them meanwhile."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from penstock.adapters.in_memory import FakeClock
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.batching.batching import Batching
from runtime_image.dispatcher.model_server import http_server
from runtime_image.dispatcher.model_server.http_server import HttpModelServer, model_server_of
from runtime_image.dispatcher.model_server.server import Answer, ModelFaultError
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.environment import environment

pytestmark = pytest.mark.integration

PAYLOAD = Loaded(b"1", "application/json", 1)
HANGS_UP = b""
RESETS = b"reset"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n[1,1]"
HALF_A_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nboom"


@dataclass
class Served:
    """A server that answers its connections, one after the other, as it was told."""

    connections: list[list[bytes]]
    calls: int = 0
    """How many came whole."""

    listening: asyncio.Server | None = None
    closes_its_port_after: int | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in self.connections.pop(0):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            self.calls += 1
            if self.calls == self.closes_its_port_after and self.listening is not None:
                self.listening.close()
            if answer == RESETS:
                reset(writer)
                return
            writer.write(answer)
            await writer.drain()
        writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection as the kernel does for a server that left something unread."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def serving(served: Served) -> AsyncIterator[HttpModelServer]:
    served.listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{served.listening.sockets[0].getsockname()[1]}"
    settings = environment(model_server_url=url, max_result_bytes=1_000)
    try:
        async with model_server_of(settings) as server:
            yield server
    finally:
        served.listening.close()


async def ask(server: HttpModelServer) -> Answer:
    return await server.predict(RequestId("0" * 32), PAYLOAD, None, 5)


async def asked_twice(served: Served) -> Answer:
    async with serving(served) as server:
        await ask(server)
        return await ask(server)


async def test_a_connection_that_was_hung_up_while_idle_costs_the_next_call_nothing() -> None:
    served = Served([[OK, HANGS_UP], [OK]])
    assert (await asked_twice(served)).body == b"[1,1]"
    assert served.calls == 3


async def test_a_call_that_a_server_never_read_costs_nothing_however_late_that_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after SIGSTOP and SIGCONT: the server closes what has been idle for too long."""
    monkeypatch.setattr(http_server, "_MOMENT_SECONDS", 0.0)
    served = Served([[OK, RESETS], [OK]])
    assert (await asked_twice(served)).body == b"[1,1]"
    assert served.calls == 3


async def test_a_connection_that_is_closed_late_without_a_reset_may_have_carried_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_server, "_MOMENT_SECONDS", 0.0)
    served = Served([[OK, HANGS_UP], [OK]])
    with pytest.raises(ModelFaultError):
        await asked_twice(served)
    assert served.calls == 2


async def test_a_batch_survives_a_connection_that_was_hung_up_while_idle() -> None:
    served = Served([[OK, HANGS_UP], [OK]])
    world = World(FakeClock())
    requests = [world.row(world.submit(b"1")) for _ in range(2)]
    async with serving(served) as server:
        await ask(server)
        batching = Batching(server, size=2, wait_seconds=5, flights=1, observe_size=lambda _: None)
        answers = await asyncio.gather(
            *(batching.predict(request, PAYLOAD, None, 5) for request in requests)
        )
    assert [answer.body for answer in answers] == [b"1", b"1"]
    assert served.calls == 3


async def test_no_call_follows_an_internal_error_on_its_connection() -> None:
    """As the server of Truss hangs up after some of them without having said that it will."""
    served = Served([[FAILED], [OK]])
    async with serving(served) as server:
        with pytest.raises(ModelFaultError):
            await ask(server)
        assert (await ask(server)).body == b"[1,1]"
    assert served.calls == 2


@pytest.mark.parametrize(
    "connections",
    [
        pytest.param([[HANGS_UP], [OK]], id="a connection of its own"),
        pytest.param([[OK, HALF_A_HEAD], [OK]], id="a part of an answer had come"),
        pytest.param([[OK, HANGS_UP], [HANGS_UP], [OK]], id="the repeat fails too"),
    ],
)
async def test_what_the_server_may_have_begun_is_not_repeated(
    connections: Sequence[list[bytes]],
) -> None:
    served = Served(list(connections))
    last = len(connections) - 1
    async with serving(served) as server:
        for _ in range(sum(OK in answers[:1] for answers in connections[:last])):
            await ask(server)
        with pytest.raises(ModelFaultError) as failure:
            await ask(server)
    assert failure.value.fault.code is FaultCode.MODEL_UNAVAILABLE
    assert len(served.connections) == 1
    assert served.calls == sum(map(len, connections[:last]))


async def test_a_call_that_ends_its_server_is_an_attempt_also_where_it_was_repeated() -> None:
    served = Served([[OK, HANGS_UP]], closes_its_port_after=2)
    with pytest.raises(ModelFaultError) as failure:
        await asked_twice(served)
    assert failure.value.fault.code is FaultCode.MODEL_UNAVAILABLE
