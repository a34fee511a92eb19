"""A local stack of recorder models, with a fault proxy between its workers and AWS."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from infra.artifacts.workspace import ROOT
from penstock.adapters.aws.directory import DynamoCatalog
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest, RequestId
from penstock.local.processes import free_port
from tests.e2e.stack import Stack, running_stack, settings_of, wait_until
from tests.faults.processes.evidence import Record, Records, Subscriber
from tests.faults.processes.proxy.fault_proxy import FaultProxy

RECORDER = "tests/faults/processes/models/recorder"
LEASE_SECONDS = 3
DISPATCHER, MODEL_SERVER = "dispatcher", "model-server"


@dataclass(frozen=True)
class FaultyStack:
    """A running stack, what interferes with it, and what it is judged by."""

    stack: Stack
    proxy: FaultProxy
    records: Records
    folder: Path

    @cached_property
    def subscriber(self) -> Subscriber:
        """Hears every notification from its first use on."""
        outputs = self.stack.description.outputs
        topics = outputs.succeeded_topic, outputs.failed_topic
        return Subscriber(self.stack.aws, topics)

    @cached_property
    def requests(self) -> DynamoRequestStore:
        """The requests table, past the proxy."""
        table = self.stack.description.outputs.requests_table
        return DynamoRequestStore(table, self.stack.aws.dynamodb)

    def row(self, request_id: str) -> AsyncRequest:
        """Return a request as it is now."""
        found = self.requests.find(RequestId(request_id))
        assert found is not None, f"{request_id} has no row"
        return found

    def cancel(self, model: str, request_id: str, *, force: bool = False) -> bool:
        """Cancel a request through the API; return whether it is cancelled at once."""
        with self.stack.caller() as http:
            answer = http.delete(
                f"/models/{model}/async_request/{request_id}", params={"force": str(force).lower()}
            )
        assert answer.status_code == 200, answer.text
        canceled: bool = answer.json()["canceled"]
        return canceled

    def wait_for_start(self, request_id: str) -> Record:
        """Wait until the model was called for a request."""
        return wait_until(
            lambda: self.records.of(request_id, "start"), 60, f"{request_id} to start"
        )[0]

    def messages(self, model: str) -> int:
        """Return how many messages lie in the lanes of a model, visible or not."""
        catalog = DynamoCatalog(
            self.stack.description.outputs.catalog_table, self.stack.aws.dynamodb, utc_now
        )
        found = catalog.find_model(model)
        assert found is not None
        queue_urls = found.deployments[f"{model}-v1"].queue_urls
        depth = SqsRequestQueue(queue_urls, self.stack.aws.sqs).depth()
        return depth.queued + depth.in_progress

    def processes(self, model: str, container: str) -> list[psutil.Process]:
        """Return the living processes of one container of a model, as last written down."""
        return [
            psutil.Process(process.pid)
            for pod in self.stack.deployment(f"{model}-v1").pods
            for process in pod.processes
            if process.name.endswith(f"/{container}")
            and process.pid is not None
            and psutil.pid_exists(process.pid)
        ]

    def ready_worker(self, model: str) -> Mapping[str, psutil.Process]:
        """Wait for the one worker of a model and return its processes by container."""

        def found() -> Mapping[str, psutil.Process] | None:
            if self.stack.deployment(f"{model}-v1").ready_replicas != 1:
                return None
            worker = {each: self.processes(model, each) for each in (DISPATCHER, MODEL_SERVER)}
            alive = {
                container: processes[0] for container, processes in worker.items() if processes
            }
            return alive if len(alive) == len(worker) else None

        return wait_until(found, 60, f"the worker of {model}")

    @contextmanager
    def second_dispatcher(self, first: psutil.Process) -> Iterator[None]:
        """Run another dispatcher beside the same model server; it drains when the block ends."""
        environment = {**first.environ(), "PENSTOCK_PORT": str(free_port())}
        with (self.folder / "second-dispatcher.log").open("ab") as log:
            second = subprocess.Popen(
                [sys.executable, "-m", "runtime_image.dispatcher"],
                cwd=ROOT, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            yield
        finally:
            os.kill(second.pid, signal.SIGTERM)
            assert second.wait(60) == 0


@contextmanager
def faulty_stack(
    folder: Path, models: Mapping[str, Mapping[str, Any]], *, seed: int = 0
) -> Iterator[FaultyStack]:
    """Run a stack of recorder models, deployed with these settings, until the block ends."""
    records = Records(folder / "records.jsonl")
    with FaultProxy(seed) as proxy:
        program = _program(proxy.url)
        with running_stack(folder, _settings(models, records), program) as stack:
            proxy.upstream_url = stack.description.aws_endpoint_url
            yield FaultyStack(stack, proxy, records, folder)


def _program(workers_aws_url: str) -> Sequence[str]:
    module = "tests.faults.processes.stack_program"
    return sys.executable, "-m", module, "--workers-aws-url", workers_aws_url


def _settings(models: Mapping[str, Mapping[str, Any]], records: Records) -> str:
    def recorder(own: Mapping[str, Any]) -> dict[str, Any]:
        variables = {"RECORD_FILE": str(records.file), **own.get("environment_variables", {})}
        usual = {"truss": RECORDER, "lease_seconds": LEASE_SECONDS}
        return {**usual, **own, "environment_variables": variables}

    return settings_of(**{name: recorder(own) for name, own in models.items()})
