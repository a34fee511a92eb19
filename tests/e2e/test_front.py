import asyncio
import gzip

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from penstock.local.front import Front, PortTakenError
from penstock.local.processes import free_port

pytestmark = pytest.mark.e2e


@pytest.mark.asyncio
async def test_an_api_that_does_not_answer_is_a_bad_gateway() -> None:
    front = Front(f"http://127.0.0.1:{free_port()}/api")
    url = await front.start(0)
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{url}/anything")
    await front.stop()

    assert answer.status_code == 502
    assert answer.json() == {
        "error": "the emulated API does not answer",
        "error_code": "unavailable",
    }


@pytest.mark.asyncio
async def test_calls_pass_as_the_client_wrote_them() -> None:
    seen: list[tuple[str, str, str, bytes]] = []

    async def remember(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path, request.host, await request.read()))
        return web.Response(status=303, headers={"Location": "http://elsewhere.test/"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", remember)
    async with TestServer(app) as upstream:
        front = Front(str(upstream.make_url("/stage")))
        url = await front.start(0)
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.put(
                f"{url}/a%2Fb?x=1&x=%20", content=b"body", headers={"Host": "model-echo.test"}
            )
        await front.stop()

    assert seen == [("PUT", "/stage/a%2Fb?x=1&x=%20", "model-echo.test", b"body")]
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://elsewhere.test/")


@pytest.mark.asyncio
async def test_what_has_no_type_is_binary() -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def remember(request: web.Request) -> web.Response:
        await request.read()
        seen.append((request.headers.get("Content-Type"), request.headers.get("Accept")))
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", remember)
    async with TestServer(app) as upstream:
        front = Front(str(upstream.make_url("/stage")))
        url = await front.start(0)
        async with httpx.AsyncClient(trust_env=False) as http:
            del http.headers["Accept"]
            await http.post(f"{url}/a", content=b"\xff")
            await http.get(f"{url}/a")
        await front.stop()

    assert seen == [("application/octet-stream", "*/*"), (None, "*/*")]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "nonsense"])
@pytest.mark.parametrize("body", [gzip.compress(b"a" * 5_200), gzip.compress(b"a"), b"plain"])
@pytest.mark.asyncio
async def test_encoded_bodies_pass_unchanged_in_both_directions(encoding: str, body: bytes) -> None:
    async def echo(request: web.Request) -> web.Response:
        said = request.headers["Content-Encoding"]
        return web.Response(body=await request.read(), headers={"Content-Encoding": said})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    upstream = TestServer(app)
    await upstream.start_server(auto_decompress=False)
    front = Front(str(upstream.make_url("/stage")))
    url = await front.start(0)
    headers = {"Content-Encoding": encoding}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=10) as http,
        http.stream("POST", f"{url}/a", content=body, headers=headers) as answer,
    ):
        received = b"".join([chunk async for chunk in answer.aiter_raw()])
    await front.stop()
    await upstream.close()

    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, encoding)
    assert received == body


@pytest.mark.asyncio
async def test_what_concerns_one_hop_stays_there() -> None:
    seen: list[set[str]] = []

    async def remember(request: web.Request) -> web.Response:
        seen.append({name.lower() for name in request.headers})
        return web.Response(headers={"Connection": "X-Ours", "X-Ours": "1", "X-End": "2"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", remember)
    async with TestServer(app) as upstream:
        front = Front(str(upstream.make_url("/stage")))
        url = await front.start(0)
        headers = {"Connection": "x-hop, keep-alive", "X-Hop": "1", "X-End": "2", "TE": "trailers"}
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{url}/a", headers=headers)
        await front.stop()

    assert not seen[0] & {"x-hop", "te", "connection"}
    assert "x-end" in seen[0]
    assert (answer.headers["X-End"], "X-Ours" in answer.headers) == ("2", False)


@pytest.mark.asyncio
async def test_a_header_that_nobody_may_write_costs_no_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; name=a\x7fb\r\n"
        writer.write(head + b"Content-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    upstream = await asyncio.start_server(serve, "127.0.0.1", 0)
    front = Front(f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}")
    url = await front.start(0)
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{url}/a")
    await front.stop()
    upstream.close()

    assert (answer.status_code, answer.content) == (200, b"ok")
    assert answer.headers["Content-Type"] == "text/plain; name=a b"


@pytest.mark.asyncio
async def test_a_taken_port_is_told() -> None:
    first, second = Front("http://127.0.0.1:1"), Front("http://127.0.0.1:1")
    port = int((await first.start(0)).rpartition(":")[2])
    with pytest.raises(PortTakenError, match=f"{port} is taken.*--port"):
        await second.start(port)
    await first.stop()
