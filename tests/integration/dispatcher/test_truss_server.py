"""What each answer of a model server, good or bad, becomes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from runtime_image.dispatcher.model_server import truss
from runtime_image.dispatcher.model_server.server import Answer, ModelBusyError, ModelFaultError
from runtime_image.dispatcher.model_server.truss import TrussServer

pytestmark = pytest.mark.integration

REQUEST_ID = RequestId("0" * 32)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _truss(url: str, max_result_bytes: int = 1_000) -> AsyncIterator[TrussServer]:
    async with aiohttp.ClientSession() as session:
        yield TrussServer(url, session, max_result_bytes)


async def _predict(url: str, *, timeout_seconds: float = 5) -> Answer:
    async with _truss(url) as truss:
        return await truss.predict(REQUEST_ID, b'{"a": 1}', "application/json", timeout_seconds)


async def _asked(handler: Handler, *, timeout_seconds: float = 5) -> Answer:
    app = web.Application()
    app.router.add_post("/v1/models/model:predict", handler)
    async with TestServer(app) as server:
        return await _predict(str(server.make_url("")).rstrip("/"), timeout_seconds=timeout_seconds)


async def _asked_raw(handler: RawHandler) -> Answer:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await _predict(f"http://127.0.0.1:{port}")


def _answering(status: int, text: str = "why") -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    return answer


async def test_an_answer_keeps_its_bytes_and_content_type() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert await request.read() == b'{"a": 1}'
        assert request.headers["X-BASETEN-REQUEST-ID"] == REQUEST_ID
        assert request.content_type == "application/json"
        return web.Response(body=b"\x89PNG", content_type="image/png")

    assert await _asked(answer) == Answer(b"\x89PNG", "image/png")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, FaultCode.MODEL_INVALID_INPUT),
        (404, FaultCode.MODEL_DOES_NOT_EXIST),
        (412, FaultCode.MODEL_PREDICT_ERROR),
        (422, FaultCode.MODEL_INVALID_INPUT),
        (500, FaultCode.MODEL_PREDICT_ERROR),
        (502, FaultCode.MODEL_UNAVAILABLE),
        (504, FaultCode.MODEL_PREDICT_TIMEOUT),
        (599, FaultCode.MODEL_PREDICT_ERROR),
    ],
)
async def test_each_error_status_has_its_fault_code(status: int, code: FaultCode) -> None:
    with pytest.raises(ModelFaultError) as failure:
        await _asked(_answering(status))
    assert failure.value.fault.code is code
    assert failure.value.fault.message == f"The model server answered {status}: why"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_is_not_ready_made_no_attempt(status: int) -> None:
    with pytest.raises(ModelBusyError):
        await _asked(_answering(status))


async def test_a_server_that_does_not_listen_made_no_attempt() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ModelBusyError):
            await _predict(f"http://127.0.0.1:{bound.getsockname()[1]}")


async def test_an_answer_that_never_comes_is_a_timeout() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    with pytest.raises(ModelFaultError) as failure:
        await _asked(hang, timeout_seconds=0.1)
    assert failure.value.fault.code is FaultCode.MODEL_PREDICT_TIMEOUT
    assert failure.value.fault.message == "Prediction ran longer than 0.1 s."


async def test_an_answer_that_is_too_large_fails() -> None:
    with pytest.raises(ModelFaultError) as failure:
        await _asked(_answering(200, "x" * 1_001))
    assert failure.value.fault.message == "The model's answer is larger than 1000 bytes."


async def test_a_server_that_dies_before_answering_is_unavailable() -> None:
    async def die(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        pass

    with pytest.raises(ModelFaultError) as failure:
        await _asked_raw(die)
    assert failure.value.fault.code is FaultCode.MODEL_UNAVAILABLE


async def test_half_a_body_is_not_an_answer() -> None:
    async def half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    with pytest.raises(ModelFaultError) as failure:
        await _asked_raw(half)
    assert failure.value.fault.message == "The model server broke off in its answer."


async def test_garbage_is_not_an_answer() -> None:
    async def garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01 this is not HTTP\r\n\r\n")
        await writer.drain()

    with pytest.raises(ModelFaultError) as failure:
        await _asked_raw(garbage)
    assert failure.value.fault.code is FaultCode.MODEL_PREDICT_ERROR


async def test_stopping_the_call_closes_the_connection() -> None:
    closed = asyncio.Event()
    reached = asyncio.Event()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        while await reader.read(100):
            pass
        closed.set()

    call = asyncio.ensure_future(_asked_raw(watch))
    await reached.wait()
    call.cancel()
    await asyncio.wait_for(closed.wait(), 5)


async def test_readiness_is_what_the_server_says() -> None:
    status = 503

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({}, status=status)

    app = web.Application()
    app.router.add_get("/v1/models/model", ready)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        async with _truss(url) as asked:
            assert not await asked.is_ready()
            status = 200
            assert await asked.is_ready()
    async with _truss(url) as asked:
        assert not await asked.is_ready()


async def test_a_server_that_hangs_is_told_from_one_that_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(truss, "_READY_SECONDS", 0.1)

    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError("nobody ends this wait")

    app = web.Application()
    app.router.add_get("/v1/models/model", hang)
    async with TestServer(app) as server, _truss(str(server.make_url("")).rstrip("/")) as hanging:
        with pytest.raises(TimeoutError):
            await hanging.is_ready()
