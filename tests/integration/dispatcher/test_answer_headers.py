"""Headers of answers that few clients bear."""

import asyncio

import pytest

from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.http_server import model_server_of
from runtime_image.dispatcher.model_server.server import Answer, ModelFaultError
from tests.unit.dispatcher.environment import environment

pytestmark = pytest.mark.integration

PAYLOAD = Loaded(b"{}", "application/json", 2)


async def answered(status: int, *headers: bytes) -> Answer:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = [b"HTTP/1.1 %d said" % status, b"Content-Length: 2", *headers]
        writer.write(b"\r\n".join([*head, b"", b"ok"]))
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    settings = environment(model_server_url=url, max_result_bytes=1_000)
    async with listening, model_server_of(settings) as server:
        return await server.predict(RequestId("0" * 32), PAYLOAD, None, 5)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b"text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        (b"text/plain;\tname=a", "text/plain;\tname=a"),
        (b"text/plain; name=\xe9", "text/plain"),
        (b"text/plain; name=\xc3\xa9; charset=utf-8", "text/plain; charset=utf-8"),
        (b"t\xe9xt/plain", "application/octet-stream"),
        (b"", "application/octet-stream"),
        (b"text/plain; name=" + b"x" * 9_000, "text/plain"),
    ],
)
async def test_an_answer_is_kept_with_as_much_of_its_type_as_can_be_stored(
    said: bytes, kept: str
) -> None:
    assert await answered(200, b"Content-Type: " + said) == Answer(b"ok", kept)


async def test_an_error_is_kept_whatever_its_type() -> None:
    with pytest.raises(ModelFaultError) as failure:
        await answered(500, b"Content-Type: text/plain; name=\xe9")
    assert failure.value.answer is not None
    assert failure.value.answer.content_type == "text/plain"


async def test_a_long_header_does_not_cost_the_answer() -> None:
    assert (await answered(200, b"X-Trace: " + b"x" * 60_000)).body == b"ok"
