"""Puts the process together that serves a model its credentials."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.model_role import StsModelRole
from penstock.contracts.environments import ModelCredentialsEnvironment
from runtime_image.dispatcher.model_credentials.keeping import KeptCredentials
from runtime_image.dispatcher.model_credentials.serving import (
    credentials_app,
    health_app,
    write_token,
)


async def run(environment: ModelCredentialsEnvironment, stop: asyncio.Event) -> None:
    """Serve credentials on loopback until asked to stop."""
    role_arn = environment.model_role
    kept = KeptCredentials(StsModelRole(role_arn, environment.deployment_id, client("sts")))
    app = credentials_app(kept, write_token(Path(environment.token_file)), role_arn)
    keeping = asyncio.create_task(kept.keep())
    try:
        # The model container shares our network address; nobody else reaches its loopback.
        async with (
            _serving(app, "127.0.0.1", environment.credentials_port),
            _serving(health_app(), "0.0.0.0", environment.port),  # noqa: S104 - kubelet calls
        ):
            await stop.wait()
    finally:
        keeping.cancel()


@asynccontextmanager
async def _serving(app: web.Application, host: str, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
