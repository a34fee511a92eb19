"""Intake, dispatcher and a model that does nothing, in one process over memory, behind HTTP.

The server stands for API Gateway and Lambda: it makes a proxy event of each call and hands it to
the routes of the intake function, which put row and message before they answer. Keys were checked
before, by the authorizer.
"""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from bench.backends.functions import intake_in_process
from bench.backends.in_process import InProcess
from bench.backends.requests import proxy_event
from bench.processes.dispatcher import NoModel
from bench.processes.starting import report, settings_text
from functions.http_api import HttpApi
from penstock.contracts.environments import DispatcherEnvironment
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.process import Drain
from runtime_image.dispatcher.wiring import wire


class PlatformSettings(BaseModel):
    """What runs beside the intake."""

    has_dispatcher: bool = True
    is_bare: bool = False
    """Whether the server only answers: the floor."""


def _served(app: HttpApi | None) -> web.Application:
    async def submit(request: web.Request) -> web.Response:
        body = await request.read()
        if app is None:
            return web.json_response({"request_id": "0" * 32}, status=201)
        answer: dict[str, Any] = app.serve(proxy_event("POST", request.path, body))
        return web.Response(
            body=answer["body"],
            status=answer["statusCode"],
            content_type="application/json",
        )

    server = web.Application()
    server.router.add_post("/{path:.*}", submit)
    return server


async def _serve(settings: PlatformSettings) -> None:
    world, drain = InProcess(), Drain(0)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, drain.request)
    app = None if settings.is_bare else intake_in_process(world)
    server = _served(app)

    async def published(_: web.Request) -> web.Response:
        return web.json_response(world.notifier.published_at)

    server.router.add_get("/published", published)
    runner = web.AppRunner(server, access_log=None)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        report(f"http://127.0.0.1:{runner.addresses[0][1]}")
        if settings.has_dispatcher:
            environment = DispatcherEnvironment.read()
            metrics = Metrics(environment.model_id, environment.deployment_id)
            await wire(environment, world.ports(), NoModel(), drain, metrics).run()
        await drain.requested.wait()


if __name__ == "__main__":
    asyncio.run(_serve(PlatformSettings.model_validate_json(settings_text())))
