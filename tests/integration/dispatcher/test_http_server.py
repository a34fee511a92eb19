"""What each answer of a model server, good or bad, becomes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server import http_server
from runtime_image.dispatcher.model_server.http_server import HttpModelServer, model_server_of
from runtime_image.dispatcher.model_server.server import (
    Answer,
    ModelBusyError,
    ModelFaultError,
    ModelRefusedError,
)
from tests.unit.dispatcher.environment import environment

pytestmark = pytest.mark.integration

REQUEST_ID = RequestId("0" * 32)
PAYLOAD = Loaded(b'{"a": 1}', "application/json", 8)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _serving(handler: Handler, **settings: object) -> AsyncIterator[HttpModelServer]:
    """Yield the model server whose every path is `handler`'s."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server, _at(str(server.make_url("")), **settings) as asked:
        yield asked


def _at(url: str, **settings: object) -> AbstractAsyncContextManager[HttpModelServer]:
    settings = {"max_result_bytes": 1_000, "model_server_url": url} | settings
    return model_server_of(environment(**settings))


async def _asked(
    handler: Handler, call: ContainerCall | None = None, *, timeout_seconds: float = 5
) -> Answer:
    async with _serving(handler) as server:
        return await server.predict(REQUEST_ID, PAYLOAD, call, timeout_seconds)


async def _asked_raw(handler: RawHandler) -> Answer:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await handler(reader, writer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening, _at(f"http://127.0.0.1:{port}") as server:
        return await server.predict(REQUEST_ID, PAYLOAD, None, 5)


def _answering(status: int, text: str = "why") -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    return answer


async def test_an_answer_keeps_its_bytes_and_content_type() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert await request.read() == b'{"a": 1}'
        assert request.headers["X-BASETEN-REQUEST-ID"] == REQUEST_ID
        assert request.content_type == "application/json"
        assert request.path == "/v1/models/model:predict"
        return web.Response(body=b"\x89PNG", content_type="image/png")

    assert await _asked(answer) == Answer(b"\x89PNG", "image/png")


@pytest.mark.spec("baseten", 21, 22)
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
async def test_a_server_that_does_not_take_a_request_made_no_attempt_and_is_heard(
    status: int,
) -> None:
    with pytest.raises(ModelRefusedError) as refused:
        await _asked(_answering(status))
    assert refused.value.answer == ModelAnswer(b"why", "text/plain; charset=utf-8", status)


async def test_a_server_that_does_not_listen_made_no_attempt() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with _at(f"http://127.0.0.1:{bound.getsockname()[1]}") as server:
            with pytest.raises(ModelBusyError):
                await server.predict(REQUEST_ID, PAYLOAD, None, 5)


@pytest.mark.spec("baseten", 24)
async def test_an_answer_that_never_comes_is_a_timeout() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    with pytest.raises(ModelFaultError) as failure:
        await _asked(hang, timeout_seconds=0.1)
    assert failure.value.fault.code is FaultCode.MODEL_PREDICT_TIMEOUT
    assert failure.value.fault.message == "Prediction ran longer than 0.1 s."


@pytest.mark.spec("baseten", 26)
async def test_an_answer_in_pieces_is_gathered() -> None:
    async def generate(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        for piece in (b"one ", b"two ", b"three"):
            await response.write(piece)
        return response

    assert await _asked(generate) == Answer(b"one two three", "text/plain")


@pytest.mark.spec("baseten", 26)
async def test_an_answer_that_stops_half_way_is_a_timeout() -> None:
    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one ")
        await asyncio.sleep(30)
        return response

    with pytest.raises(ModelFaultError) as failure:
        await _asked(stall, timeout_seconds=0.1)
    assert failure.value.fault.code is FaultCode.MODEL_PREDICT_TIMEOUT


async def test_an_answer_that_is_too_large_fails() -> None:
    with pytest.raises(ModelFaultError) as failure:
        await _asked(_answering(200, "x" * 1_001))
    assert failure.value.fault.message == "The model's answer is larger than 1000 bytes."


@pytest.mark.spec("baseten", 23)
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


async def test_a_cookie_of_one_call_is_not_sent_with_the_next() -> None:
    seen = []

    async def bake(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.Response(text="{}", headers={"Set-Cookie": "session=acme"})

    async with _serving(bake) as server:
        for _ in range(2):
            await server.predict(REQUEST_ID, PAYLOAD, None, 5)
    assert seen == [None, None]


async def test_a_call_is_made_and_answered_as_its_caller_and_the_container_wish() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert (request.method, request.raw_path) == ("PATCH", "/a%2Fb?x=%20")
        assert request.headers["Prefer"] == "respond-async"
        assert await request.read() == b'{"a": 1}'
        return web.Response(status=202, text="later", content_type="text/csv")

    call = ContainerCall(
        method="PATCH", path="/a%2Fb", query="x=%20", headers={"Prefer": "respond-async"}
    )
    assert await _asked(answer, call) == Answer(b"later", "text/csv; charset=utf-8", 202)


async def test_a_get_without_a_payload_has_no_body() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert "Content-Length" not in request.headers
        assert "Transfer-Encoding" not in request.headers
        return web.Response(text="up")

    async with _serving(answer) as server:
        answered = await server.predict(
            REQUEST_ID, Loaded(b"", "application/json", 0), ContainerCall(method="GET"), 5
        )
    assert answered.body == b"up"


async def test_a_redirect_is_the_callers_to_follow_where_the_call_is_his() -> None:
    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"}, text="there")

    answered = await _asked(elsewhere, ContainerCall(path="/here"))
    assert (answered.http_status, answered.body) == (307, b"there")
    with pytest.raises(ModelFaultError):
        await _asked(elsewhere)


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
async def test_a_redirect_of_an_invocation_is_a_failure_and_not_a_result(status: int) -> None:
    of_sagemaker = ContainerCall(headers={"X-Amzn-SageMaker-Custom-Attributes": "a"})
    with pytest.raises(ModelFaultError) as failure:
        await _asked(_answering(status, ""), of_sagemaker)
    assert failure.value.fault.code is FaultCode.MODEL_PREDICT_ERROR
    assert failure.value.answer is not None
    assert failure.value.answer.http_status == status


@pytest.mark.parametrize("status", [400, 404, 405, 418])
async def test_a_containers_own_refusal_is_its_answer_and_final(status: int) -> None:
    with pytest.raises(ModelFaultError) as failure:
        await _asked(_answering(status), ContainerCall(path="/nowhere"))
    assert failure.value.fault.code is FaultCode.MODEL_INVALID_INPUT
    assert failure.value.answer == ModelAnswer(b"why", "text/plain; charset=utf-8", status)


async def test_a_long_refusal_is_cut() -> None:
    with pytest.raises(ModelFaultError) as failure:
        await _asked(_answering(500, "x" * 3_000_000))
    assert failure.value.answer is not None
    assert len(failure.value.answer.body) == 1024**2
    assert len(failure.value.fault.message) < 3_000


@pytest.mark.parametrize(
    ("preset", "path"),
    [("truss", "/v1/models/model"), ("sagemaker", "/ping"), ("http", "/up")],
)
async def test_readiness_is_what_the_server_says(preset: str, path: str) -> None:
    status = 503

    async def ready(request: web.Request) -> web.Response:
        assert (request.method, request.path) == ("GET", path)
        return web.json_response({}, status=status)

    settings = {"model_server_preset": preset, "model_server_health_path": "/up"}
    async with _serving(ready, **settings) as server:
        with pytest.raises(ModelBusyError, match="503"):
            await server.is_ready()  # it is not down
        status = 200
        assert await server.is_ready()


@pytest.mark.parametrize("health_path", ["", "/up"])
async def test_a_server_is_ready_no_sooner_than_it_listens(health_path: str) -> None:
    async def pong(_: web.Request) -> web.Response:
        return web.Response(text="pong")

    settings = {"model_server_preset": "http", "model_server_health_path": health_path}
    async with _serving(pong, **settings) as server:
        assert await server.is_ready()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with _at(f"http://127.0.0.1:{bound.getsockname()[1]}", **settings) as server:
            assert not await server.is_ready()


async def test_a_server_that_hangs_is_told_from_one_that_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_server, "_READY_SECONDS", 0.1)

    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError("nobody ends this wait")

    async with _serving(hang) as hanging:
        with pytest.raises(TimeoutError):
            await hanging.is_ready()
