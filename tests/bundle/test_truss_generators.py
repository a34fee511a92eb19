"""What the real Truss server of a model's image makes of generators and of internal errors."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra.artifacts.model_image import model_context
from infra.artifacts.truss.generators import settle_generators
from infra.artifacts.workspace import ArtifactError, uv
from penstock.contracts.origin import ContainerCall
from penstock.contracts.request import RequestId
from penstock.local.pods.images.truss_app import TrussContext
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.http_server import HttpModelServer, model_server_of
from runtime_image.dispatcher.model_server.server import Answer, ModelFaultError
from tests.unit.dispatcher.environment import environment

pytestmark = pytest.mark.bundle

ACCEPTS = [None, "*/*", "application/octet-stream", "text/event-stream, application/json"]
MODEL = """
class Model:
    def predict(self, request):
        return {1} if request == "unwritable" else self._chunks(request)

    def _chunks(self, request):
        for number in range(3):
            yield b"\\xff\\x00" if request == "bytes" else str(number)
        if request == "fails":
            raise ValueError("boom")
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    truss = tmp_path_factory.mktemp("generators")
    (truss / "config.yaml").write_text("model_name: generators\npython_version: py311\n")
    (truss / "model").mkdir()
    (truss / "model" / "model.py").write_text(MODEL)
    return model_context(truss, tmp_path_factory.mktemp("contexts"))


@pytest.fixture(scope="module")
def command(context: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """How the server is started, and where."""
    truss = TrussContext.at(context)
    assert truss is not None
    folder = tmp_path_factory.mktemp("pod")
    truss.lay_out(folder / "app")
    needed = folder / "requirements.txt"
    lines = (context / "requirements.txt").read_text().splitlines()
    own = [line for line in lines if not line.startswith("-i")]  # the index is the machine's own
    needed.write_text("\n".join([f"-c {context / 'constraints.txt'}", *own]))
    run = ("run", "--no-project", "--python", "3.11", "--with-requirements", str(needed))
    return uv(*run, "python", "main.py"), folder / "app"


@asynccontextmanager
async def serving(command: tuple[list[str], Path]) -> AsyncIterator[HttpModelServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments, app = command
    variables = os.environ | {"INFERENCE_SERVER_PORT": str(port)}
    process = subprocess.Popen(arguments, cwd=app, env=variables, start_new_session=True)
    settings = environment(
        model_server_url=f"http://127.0.0.1:{port}",
        model_server_preset="truss",
        max_result_bytes=1_000,
    )
    try:
        async with model_server_of(settings) as server:
            async with asyncio.timeout(300):
                while not await server.is_ready():
                    assert process.poll() is None
                    await asyncio.sleep(0.2)
            yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # uv and the server
        process.wait()


async def ask(server: HttpModelServer, wish: str, accept: str | None = None) -> Answer:
    payload = Loaded(f'"{wish}"'.encode(), "application/json", len(wish) + 2)
    call = ContainerCall(headers={"Accept": accept}) if accept else None
    return await server.predict(RequestId("0" * 32), payload, call, 30)


async def test_a_failing_generator_is_no_success_and_bytes_stay_what_they_are(
    command: tuple[list[str], Path],
) -> None:
    async with serving(command) as server:
        for accept in ACCEPTS:
            with pytest.raises(ModelFaultError):
                await ask(server, "fails", accept)
            answer = await ask(server, "bytes", accept)
            assert answer == Answer(b"\xff\x00" * 3, "application/octet-stream"), accept
        assert (await ask(server, "text")).body == b'"012"'
        assert (await ask(server, "text", "*/*")).body == b"012"


async def test_an_answer_that_cannot_be_written_costs_the_next_request_nothing(
    command: tuple[list[str], Path],
) -> None:
    async with serving(command) as server:
        for _ in range(30):
            with pytest.raises(ModelFaultError, match="Unhandled exception: TypeError"):
                await ask(server, "unwritable")
            assert (await ask(server, "text")).body == b'"012"'


def test_a_truss_server_of_another_version_is_not_corrected_blindly(
    context: Path, tmp_path: Path
) -> None:
    server = tmp_path / "server" / "model_wrapper.py"
    server.parent.mkdir()
    server.write_text((context / "server" / "model_wrapper.py").read_text())
    with pytest.raises(ArtifactError, match="is not the one whose faults we know"):
        settle_generators(tmp_path)  # it was corrected before
