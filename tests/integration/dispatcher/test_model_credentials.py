"""A model's SDK finds the credentials of its own role, by AWS's own variables."""

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import psutil
import pytest
from aiohttp.test_utils import TestServer, unused_port
from botocore.credentials import ContainerProvider
from botocore.exceptions import CredentialRetrievalError
from botocore.utils import ContainerMetadataFetcher
from moto import mock_aws

from penstock.adapters.aws.clients import forget_clients
from penstock.contracts.environments import ModelCredentialsEnvironment
from penstock.contracts.errors import RoleRefusedError
from penstock.contracts.ports.model_role import RoleCredentials
from runtime_image.dispatcher.model_credentials.keeping import KeptCredentials
from runtime_image.dispatcher.model_credentials.running import run
from runtime_image.dispatcher.model_credentials.serving import credentials_app, write_token
from tests.aws_variables import set_aws_variables

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/archive"
URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - the name of a variable


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_aws_variables(monkeypatch)
    with mock_aws():
        forget_clients()
        yield
    forget_clients()


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Run the sidecar; yield the variables of the model container."""
    environment = ModelCredentialsEnvironment(
        model_role=ROLE,
        deployment_id="ocr-v1",
        token_file=str(folder / "token"),
        credentials_port=unused_port(),
        port=unused_port(),
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(run(environment, stop))
    try:
        await _until_healthy(environment.port)
        yield {
            URI: f"http://127.0.0.1:{environment.credentials_port}/v1/credentials",
            TOKEN_FILE: environment.token_file,
        }
    finally:
        stop.set()
        await serving


async def _until_healthy(port: int) -> None:
    async with asyncio.timeout(10), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/healthz") as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)


async def asked(uri: str, **headers: str) -> tuple[int, Any]:
    """Return status and document of a plain call."""
    async with aiohttp.ClientSession() as http, http.get(uri, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_botocores_own_provider_uses_the_model_with_its_role(tmp_path: Path) -> None:
    async with served(tmp_path) as variables:
        found = await asyncio.to_thread(ContainerProvider(variables).load)

    assert found is not None
    assert found.account_id == "123456789012"
    assert not found.refresh_needed()
    frozen = found.get_frozen_credentials()
    session = boto3.Session(frozen.access_key, frozen.secret_key, frozen.token)
    caller = session.client("sts").get_caller_identity()["Arn"]
    assert caller == "arn:aws:sts::123456789012:assumed-role/archive/ocr-v1"


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "gu\udce9ss"}])
async def test_who_does_not_know_the_token_gets_nothing(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with served(tmp_path) as variables:
        refused = await asked(variables[URI], **headers)
        almost = Path(variables[TOKEN_FILE]).read_text()[:-1]
        assert await asked(variables[URI], Authorization=almost) == refused
    status, document = refused
    assert (status, document["code"]) == (401, "InvalidToken")
    assert TOKEN_FILE in document["message"]


async def test_only_the_pods_own_loopback_leads_to_the_credentials(tmp_path: Path) -> None:
    async with served(tmp_path) as variables:
        port = int(variables[URI].split(":")[2].partition("/")[0])
        sockets = psutil.Process().net_connections("tcp")
    listening = [one.laddr for one in sockets if one.status == psutil.CONN_LISTEN]
    assert [address.ip for address in listening if address.port == port] == ["127.0.0.1"]


async def test_a_role_that_may_not_be_assumed_is_told_to_the_model(tmp_path: Path) -> None:
    def refuse() -> RoleCredentials:
        raise RoleRefusedError(ROLE, "AccessDenied: not in its trust policy")

    kept, token = KeptCredentials(refuse), write_token(tmp_path / "token")
    keeping = asyncio.create_task(kept.keep())
    async with TestServer(credentials_app(kept, token, ROLE)) as server:
        uri = str(server.make_url("/v1/credentials"))
        variables = {URI: uri, TOKEN_FILE: str(tmp_path / "token")}
        without_pauses = ContainerMetadataFetcher(sleep=lambda _: None)
        provider = ContainerProvider(
            variables,
            without_pauses,  # type: ignore[arg-type]  # the stubs name another fetcher
        )
        with pytest.raises(CredentialRetrievalError, match=f"{ROLE} cannot be assumed: AccessDen"):
            await asyncio.to_thread(provider.load)
    keeping.cancel()


def test_a_token_is_fresh_at_every_start_and_nobody_changes_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    first, second = write_token(file), write_token(file)

    assert first != second == file.read_text()
    assert len(second) >= 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o444
