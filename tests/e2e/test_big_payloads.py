"""A worker's processes on MiniStack, handed more than a dispatcher may hold in memory.

`PENSTOCK_BIG_PAYLOAD_MIB=1024` does it with 1 GiB each way; `-s` shows what it took.
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import boto3
import psutil
import pytest

from penstock.adapters.aws.clients import client, forget_clients
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import ContainerCall, InputLocation
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest, Tenant
from penstock.contracts.submission import Submission
from penstock.local.emulator import Emulator, Interpreter
from penstock.local.pods.images.container_app import ContainerContext
from penstock.local.processes import free_port, inherited_environment
from penstock.local.state import StateFolder
from tests.e2e.stack import wait_until
from tests.integration.adapters.conftest import create_tables

pytestmark = pytest.mark.e2e

ECHO = Path(__file__).parents[2] / "examples" / "containers" / "echo"
MIB = 1024**2
SIZE = int(os.environ.get("PENSTOCK_BIG_PAYLOAD_MIB", "128")) * MIB
MOST_IN_MEMORY = 200 * MIB
MOST_GROWTH = 64 * MIB
INPUT = InputLocation(bucket="callers", key="input", content_type="application/octet-stream")
FILLER = bytes(range(256)) * 4096


@pytest.fixture
async def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """Yield an emulated AWS that this process's clients use as well."""
    state = StateFolder.at(tmp_path / "state")
    state.prepare()
    started = await Emulator.start(await Interpreter.find(), "us-east-1", state)
    for name, value in started.environment().items():
        monkeypatch.setenv(name, value)
    forget_clients()
    yield started
    forget_clients()
    await started.child.stop(1)


@dataclass(frozen=True)
class Worker:
    """A dispatcher and the echo container, as processes."""

    dispatcher: psutil.Process
    requests: DynamoRequestStore
    queue: SqsRequestQueue

    def run(self, call: ContainerCall | None, *, is_big: bool = True) -> StoredObject:
        """Have the input, or a few bytes, worked on; return the result."""
        submission = Submission(tenant=Tenant("acme"), input=INPUT, call=call)
        row = submission.accepted("echo", "echo-v1", utc_now())
        self.requests.accept(row)
        small = QueueMessage.inline(row.request_id, b"{}", "application/json", call)
        message = QueueMessage.reading(row.request_id, INPUT, call) if is_big else small
        assert message is not None
        self.queue.send(message, priority=0, tenant="acme")

        def ended() -> AsyncRequest | None:
            found = self.requests.find(row.request_id)
            return found if found and found.state.is_terminal else None

        done = wait_until(ended, 300, "the request to end")
        assert done.result is not None
        assert not done.faults, done.faults
        return done.result

    def most_in_memory(self) -> int:
        """Return the most that the dispatcher ever held in memory."""
        status = Path(f"/proc/{self.dispatcher.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


@contextmanager
def working(emulator: Emulator, folder: Path) -> Iterator[Worker]:
    """Make what a deployment has in AWS, and run its worker until the block ends."""
    create_tables()
    sqs, s3, sns = client("sqs"), client("s3"), client("sns")
    p0, p1, p2, dead = (sqs.create_queue(QueueName=n)["QueueUrl"] for n in ("a", "b", "c", "d"))
    succeeded, failed = (sns.create_topic(Name=n)["TopicArn"] for n in ("succeeded", "failed"))
    for bucket in ("callers", "payloads", "results"):
        s3.create_bucket(Bucket=bucket)
    server_port, port = free_port(), free_port()
    environment = DispatcherEnvironment.variables(
        model_id="echo",
        deployment_id="echo-v1",
        queue_url_p0=p0,
        queue_url_p1=p1,
        queue_url_p2=p2,
        dead_letter_queue_url=dead,
        requests_table="requests",
        payloads_bucket="payloads",
        results_bucket="results",
        succeeded_topic=succeeded,
        failed_topic=failed,
        model_server_url=f"http://127.0.0.1:{server_port}",
        model_server_preset="sagemaker",
        drain_seconds="5",
        port=str(port),
    )
    container = ContainerContext.at(ECHO)
    assert container is not None
    home, root = container.lay_out(folder / "root"), folder / "root"
    argv = container.argv(Path(sys.executable), root, container.dockerfile.argv((), ()))
    base = inherited_environment()
    with ExitStack() as running:
        dispatcher = subprocess.Popen(
            [sys.executable, "-m", "runtime_image.dispatcher"],
            env=base | emulator.environment() | environment | {"TMPDIR": str(folder)},
            stdout=running.enter_context((folder / "dispatcher.log").open("wb")),
        )
        server = subprocess.Popen(
            argv, cwd=home, env=base | container.environment(root, server_port)
        )
        for process in (dispatcher, server):
            running.callback(process.wait)
            running.callback(process.terminate)
        yield Worker(
            psutil.Process(dispatcher.pid),
            DynamoRequestStore("requests", client("dynamodb")),
            SqsRequestQueue((p0, p1, p2), sqs),
        )


def put_input() -> str:
    """Put an input of that size where a caller would; return its digest."""
    digest = hashlib.sha256()
    with TemporaryFile() as file:
        for n in range(SIZE // MIB):
            block = hashlib.sha256(str(n).encode()).digest() * (MIB // 32)
            file.write(block)
            digest.update(block)
        file.seek(0)
        boto3.client("s3").upload_fileobj(file, INPUT.bucket, INPUT.key)
    return digest.hexdigest()


def digest_of(stored: StoredObject) -> str:
    digest = hashlib.sha256()
    body = client("s3").get_object(Bucket=stored.bucket, Key=stored.key)["Body"]
    for chunk in body.iter_chunks(MIB):
        digest.update(chunk)
    return digest.hexdigest()


def filler_digest() -> str:
    digest = hashlib.sha256()
    for _ in range(SIZE // MIB):
        digest.update(FILLER)
    return digest.hexdigest()


async def test_a_big_input_and_a_big_result_pass_through_a_small_dispatcher(
    emulator: Emulator, tmp_path: Path
) -> None:
    await asyncio.to_thread(pass_through, emulator, tmp_path)


def pass_through(emulator: Emulator, folder: Path) -> None:
    with working(emulator, folder) as worker:
        sent = put_input()
        worker.run(None, is_big=False)  # with all that it imports and connects
        began, before = time.monotonic(), worker.most_in_memory()

        told = worker.run(None)
        assert client("s3").get_object(Bucket=told.bucket, Key=told.key)["Body"].read() == (
            b'{"size_bytes": %d, "sha256": "%s"}' % (SIZE, sent.encode())
        )
        made = worker.run(ContainerCall(query=f"bytes={SIZE}"))
        assert made.size_bytes == SIZE
        assert digest_of(made) == filler_digest()

        after = worker.most_in_memory()
        print(  # noqa: T201 - what the run with 1 GiB is for
            f"{SIZE // MIB} MiB in, {SIZE // MIB} MiB in and out: {time.monotonic() - began:.1f} s,"
            f" dispatcher at most {after / MIB:.0f} MiB, {before / MIB:.0f} MiB before"
        )
        assert after < MOST_IN_MEMORY
        assert after - before < MOST_GROWTH
