"""The spot notice, from a metadata service of our own."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from runtime_image.dispatcher.spot_notice import watch_spot_notice

pytestmark = pytest.mark.integration

NOW = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC)


class Metadata:
    """IMDSv2: a token first, then 404 until the notice is given."""

    def __init__(self) -> None:
        self.notice: dict[str, str] | None = None
        self.asked = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_put("/latest/api/token", self._token)
        app.router.add_get("/latest/meta-data/spot/instance-action", self._action)
        return app

    async def _token(self, request: web.Request) -> web.Response:
        assert request.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        return web.Response(text="token-1")

    async def _action(self, request: web.Request) -> web.Response:
        self.asked.set()
        if request.headers.get("X-aws-ec2-metadata-token") != "token-1":
            return web.Response(status=401)
        if self.notice is None:
            return web.Response(status=404)
        return web.json_response(self.notice)


async def test_a_notice_drains_the_worker_within_the_time_that_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metadata = Metadata()
    asked_for: list[float] = []
    async with TestServer(metadata.app()) as server:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", str(server.make_url("")))
        watch = asyncio.create_task(
            watch_spot_notice(asked_for.append, clock=lambda: NOW, poll_seconds=0.01)
        )
        await asyncio.wait_for(metadata.asked.wait(), 5)
        assert asked_for == []
        metadata.notice = {"action": "terminate", "time": "2026-01-02T03:06:00Z"}
        await asyncio.wait_for(watch, 5)
    assert asked_for == [110.0]


async def test_without_a_metadata_service_the_worker_goes_on(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{unused_tcp_port}")
    asked_for: list[float] = []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watch_spot_notice(asked_for.append, poll_seconds=0.01), 0.2)
    assert asked_for == []
