"""The example container, started as its Dockerfile says and asked as the dispatcher asks."""

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from penstock.local.pods.images.container_app import ContainerContext
from penstock.local.processes import free_port, inherited_environment
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.http_server import HttpModelServer, model_server_of
from runtime_image.dispatcher.model_server.server import Answer, ModelBusyError, ModelFaultError
from tests.unit.dispatcher.environment import environment

pytestmark = pytest.mark.integration

ECHO = Path(__file__).parents[3] / "examples" / "containers" / "echo"
REQUEST_ID = RequestId("0" * 32)
MIB = 1024**2


@pytest.fixture
def container(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Yield the container's process and its address."""
    context = ContainerContext.at(ECHO)
    assert context is not None
    assert context.notes == ()
    folder, port = context.lay_out(tmp_path / "root"), free_port()
    process = subprocess.Popen(
        context.argv(Path(sys.executable), tmp_path / "root", context.dockerfile.argv((), ())),
        cwd=folder,
        env={**inherited_environment(), **context.environment(tmp_path / "root", port)},
    )
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture(params=["sagemaker", "http"])
async def server(
    container: tuple[subprocess.Popen[bytes], str], request: pytest.FixtureRequest
) -> AsyncIterator[HttpModelServer]:
    """Yield it as the dispatcher sees it, once it is ready."""
    settings = environment(
        model_server_url=container[1],
        model_server_preset=request.param,
        model_server_predict_path="/invocations",
        model_server_health_path="/health",
    )
    async with model_server_of(settings) as asked, asyncio.timeout(10):
        while not await _is_ready(asked):
            await asyncio.sleep(0.02)
        yield asked


async def _is_ready(server: HttpModelServer) -> bool:
    with suppress(ModelBusyError):
        return await server.is_ready()
    return False


async def ask(
    server: HttpModelServer,
    content: bytes = b"{}",
    content_type: str = "application/json",
    call: ContainerCall | None = None,
) -> Answer:
    return await server.predict(REQUEST_ID, Loaded(content, content_type, len(content)), call, 10)


def seen(answer: Answer) -> Any:
    assert isinstance(answer.body, bytes)
    return json.loads(answer.body)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b'{"a": [1]}', "application/json"), (b"a,b\n1,2\n", "text/csv"), (b"\x89PNG", "image/png")],
)
async def test_an_invocation_is_echoed_in_its_own_type(
    server: HttpModelServer, content: bytes, content_type: str
) -> None:
    assert await ask(server, content, content_type) == Answer(content, content_type)


async def test_any_other_path_tells_what_it_saw(server: HttpModelServer) -> None:
    call = ContainerCall(
        method="PUT", path="/a%2Fb", query="x=1&x=2", headers={"Prefer": "respond-async"}
    )
    told = seen(await ask(server, b'{"n": 1}', call=call))
    assert (told["method"], told["path"], told["query"]) == ("PUT", "/a%2Fb", "x=1&x=2")
    assert told["body"] == {"n": 1}
    assert told["headers"]["Prefer"] == "respond-async"
    assert told["headers"]["X-BASETEN-REQUEST-ID"] == REQUEST_ID


async def test_its_health_is_asked_for_at_one_address(server: HttpModelServer) -> None:
    call = ContainerCall(method="GET", path="/health")
    assert seen(await ask(server, b"", call=call)) == {"status": "ok", "running": 0}


@pytest.mark.parametrize(
    "call",
    [
        ContainerCall(query="status=418"),
        ContainerCall(headers={"X-Amzn-SageMaker-Custom-Attributes": "status=418"}),
    ],
)
async def test_it_refuses_when_asked_to(server: HttpModelServer, call: ContainerCall) -> None:
    with pytest.raises(ModelFaultError) as failure:
        await ask(server, call=call)
    assert failure.value.fault.code is FaultCode.MODEL_INVALID_INPUT
    assert failure.value.answer is not None
    assert failure.value.answer.http_status == 418


async def test_a_long_body_is_answered_with_its_digest_and_a_long_answer_is_a_file(
    server: HttpModelServer,
) -> None:
    digest = hashlib.sha256()
    with TemporaryFile() as file:
        for n in range(3):
            file.write(bytes([n]) * MIB)
            digest.update(bytes([n]) * MIB)
        payload = Loaded(file, "video/mp4", 3 * MIB)
        answer = await server.predict(REQUEST_ID, payload, None, 10)
        assert seen(answer) == {"size_bytes": 3 * MIB, "sha256": digest.hexdigest()}
        call = ContainerCall(query=f"bytes={3 * MIB + 1}")
        answer = await server.predict(REQUEST_ID, payload, call, 10)
    assert answer.size_bytes == 3 * MIB + 1
    answer.close()


async def test_it_answers_what_is_under_way_before_it_ends(
    server: HttpModelServer, container: tuple[subprocess.Popen[bytes], str]
) -> None:
    process, _ = container
    slow = ContainerCall(path="/slow", query="sleep=1")
    running = asyncio.create_task(ask(server, call=slow))
    health = ContainerCall(method="GET", path="/health")
    while seen(await ask(server, b"", call=health))["running"] == 0:
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert seen(await running)["path"] == "/slow"
    assert await asyncio.to_thread(process.wait, 10) == 0
