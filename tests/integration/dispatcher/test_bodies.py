"""Payloads and answers of any size, between a model server and files."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import BinaryIO, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server import bodies
from runtime_image.dispatcher.model_server.http_server import HttpModelServer, model_server_of
from runtime_image.dispatcher.model_server.server import Answer, ModelFaultError, ModelRefusedError
from tests.unit.dispatcher.environment import environment

pytestmark = pytest.mark.integration

REQUEST_ID = RequestId("0" * 32)
MIB = 1024**2
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _serving(
    app: web.Application, max_result_bytes: int = 64 * MIB
) -> AsyncIterator[HttpModelServer]:
    async with TestServer(app) as server:
        url = str(server.make_url(""))
        settings = environment(model_server_url=url, max_result_bytes=max_result_bytes)
        async with model_server_of(settings) as asked:
            yield asked


def _app(handler: Handler) -> web.Application:
    app = web.Application(client_max_size=64 * MIB)
    app.router.add_post("/v1/models/model:predict", handler)
    return app


def _payload(size_bytes: int) -> Loaded:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the test
    block = hashlib.sha256(b"x").digest() * 1024
    for _ in range(size_bytes // len(block)):
        file.write(block)
    file.write(b"rest")
    return Loaded(file, "video/mp4", file.tell())


async def _ask(server: HttpModelServer, payload: Loaded) -> Answer:
    return await server.predict(REQUEST_ID, payload, None, 20)


def _content(of: Loaded | Answer) -> bytes:
    file = cast("BinaryIO", of.content if isinstance(of, Loaded) else of.body)
    file.seek(0)
    return file.read()


async def test_a_file_goes_out_and_comes_back_byte_for_byte() -> None:
    async def echo(request: web.Request) -> web.Response:
        assert request.content_length == payload.size_bytes
        assert request.content_type == "video/mp4"
        return web.Response(body=await request.read(), content_type="video/webm")

    payload = _payload(5 * MIB)
    async with _serving(_app(echo)) as server:
        answer = await _ask(server, payload)
    assert (answer.size_bytes, answer.content_type) == (payload.size_bytes, "video/webm")
    assert _content(answer) == _content(payload)
    answer.close()
    payload.close()


@pytest.mark.parametrize("size", [0, 1, MIB])
async def test_a_small_answer_stays_in_memory(size: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * size)

    async with _serving(_app(answer)) as server:
        assert (await _ask(server, Loaded(b"{}", "application/json", 2))).body == b"x" * size


async def test_a_request_that_was_not_taken_is_sent_again_from_its_start() -> None:
    sent: list[bytes] = []

    async def busy_half_way(request: web.Request) -> web.StreamResponse:
        if not sent:
            sent.append(await request.content.readexactly(MIB))
            return web.Response(status=503)
        sent.append(await request.read())
        return web.Response(text="{}")

    payload = _payload(8 * MIB)
    async with _serving(_app(busy_half_way)) as server:
        with pytest.raises(ModelRefusedError):
            await _ask(server, payload)
        await _ask(server, payload)
    assert sent[1] == _content(payload)
    payload.close()


async def test_a_server_that_refuses_without_reading_is_heard() -> None:
    async def too_long(_: web.Request) -> web.StreamResponse:
        return web.Response(status=413, text="too long")

    payload = _payload(8 * MIB)
    async with _serving(_app(too_long)) as server:
        with pytest.raises(ModelFaultError, match="413: too long") as failure:
            await _ask(server, payload)
    assert failure.value.fault.code is FaultCode.MODEL_INVALID_INPUT
    payload.close()


async def test_an_endless_answer_is_left_at_its_limit_and_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = _remembered_files(monkeypatch)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * MIB)

    async with _serving(_app(endless), max_result_bytes=3 * MIB) as server:
        with pytest.raises(ModelFaultError, match=f"larger than {3 * MIB} bytes"):
            await _ask(server, Loaded(b"{}", "application/json", 2))
    assert [file.closed for file in files] == [True]


async def test_an_answer_that_was_stopped_half_way_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = _remembered_files(monkeypatch)

    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * 2 * MIB)
        await asyncio.Event().wait()
        return response

    async with _serving(_app(stall)) as server:
        call = asyncio.create_task(_ask(server, Loaded(b"{}", "application/json", 2)))
        async with asyncio.timeout(10):
            while not files:
                await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.wait({call})
    assert [file.closed for file in files] == [True]


async def test_a_full_disk_fails_the_attempt_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> BinaryIO:
        raise OSError(28, "No space left on device")

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 2 * MIB)

    monkeypatch.setattr(bodies, "_unnamed_file", full)
    async with _serving(_app(answer)) as server:
        with pytest.raises(ModelFaultError, match="No space left on device") as failure:
            await _ask(server, Loaded(b"{}", "application/json", 2))
    assert failure.value.fault.code is FaultCode.INTERNAL_SERVER_ERROR


def _remembered_files(monkeypatch: pytest.MonkeyPatch) -> list[BinaryIO]:
    files: list[BinaryIO] = []

    def remembered() -> BinaryIO:
        files.append(tempfile.TemporaryFile())  # noqa: SIM115 - closed by what is tested
        return files[-1]

    monkeypatch.setattr(bodies, "_unnamed_file", remembered)
    return files
