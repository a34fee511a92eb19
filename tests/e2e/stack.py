"""A local stack for tests: started in a folder of its own, always ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

from penstock.adapters.aws.directory import DynamoApiKeyStore
from penstock.client import Client
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import Tenant
from penstock.contracts.stack.local_stack import LocalStack
from penstock.local.emulated_aws import EmulatedAws
from penstock.local.state import DeploymentStatus, StackStatus, StateFolder
from penstock.local.supervisor import bring_down

PENSTOCK = str(Path(sys.executable).with_name("penstock"))
START_SECONDS = 300.0
"""Generous: the first start on a machine installs the packages of the model."""

Found = TypeVar("Found")


def wait_until(found: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """Return what `found` returns once that is true."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)
    return value


def settings_of(**models: dict[str, Any]) -> str:
    """Return a stack file whose models are all the echo model, deployed with these settings."""
    deployment = {
        "truss": "examples/models/echo",
        "instance": "CPU:1x2",
        "lease_seconds": 10,
        "drain_seconds": 10,
    }
    settings = {
        "environment": "local",
        "region": "us-east-1",
        "cluster": {"name": "local", "kubeconfig_context": "local"},
        "webhooks": {"allow_local": True},
        "models": {
            name: {"deployments": {"v1": {**deployment, **own}}} for name, own in models.items()
        },
    }
    return yaml.safe_dump({"config": {"penstock:settings": settings}})


@dataclass(frozen=True)
class Stack:
    """A running stack, and a caller with its key."""

    folder: StateFolder
    supervisor: subprocess.Popen[bytes]

    @cached_property
    def description(self) -> LocalStack:
        """What `up` wrote."""
        return LocalStack.model_validate_json(self.folder.running_stack.read_bytes())

    @cached_property
    def aws(self) -> EmulatedAws:
        """The emulated AWS, as an operator sees it."""
        return EmulatedAws(self.description.aws_endpoint_url, self.description.outputs.region)

    def caller(self, key: str | None = None) -> httpx.Client:
        """Return an HTTP client of the API."""
        return httpx.Client(
            base_url=self.description.front_url,
            headers={"Authorization": f"Api-Key {key or self.description.api_key}"},
            timeout=60,
            trust_env=False,
        )

    def new_key(self, tenant: str) -> str:
        """Return a key of another tenant."""
        key, secret = ApiKey.issue(Tenant(tenant), utc_now())
        DynamoApiKeyStore(self.description.outputs.api_keys_table, self.aws.dynamodb).put(key)
        return secret

    def signing_secrets(self) -> list[str]:
        """Return what webhooks are signed with."""
        secret_id = self.description.outputs.webhook_signing_secret_id
        value = self.aws.secretsmanager.get_secret_value(SecretId=secret_id)["SecretString"]
        secrets: list[str] = json.loads(value)["secrets"]
        return secrets

    def deployment(self, name: str) -> DeploymentStatus:
        """Return what the supervisor last saw of a deployment."""
        status = StackStatus.model_validate_json(self.folder.status.read_bytes())
        return next(found for found in status.deployments if found.name == name)

    def events(self, event: str) -> list[dict[str, Any]]:
        """Return what the supervisor wrote down."""
        written = map(json.loads, self.folder.events.read_text().splitlines())
        return [found for found in written if found["event"] == event]

    def submit(self, model: str, model_input: object, **options: object) -> str:
        """Submit a request and return its id."""
        with self.caller() as http:
            body = {"model_input": model_input, **options}
            answer = http.post(f"/models/{model}/production/async_predict", json=body)
        assert answer.status_code == 201, answer.text
        request_id: str = answer.json()["request_id"]
        return request_id

    def submit_batch(self, model: str, inputs: Sequence[object], **options: object) -> list[str]:
        """Submit requests in one call, however slow the machine is; return their ids."""
        items = [{"model_input": each, **options} for each in inputs]
        with Client(self.description.front_url, self.description.api_key) as client:
            entries = client.submit_batch(model, items)
        ids = [str(entry.request_id) for entry in entries if entry.request_id]
        assert len(ids) == len(inputs), entries
        return ids

    def status(self, model: str, request_id: str) -> dict[str, Any]:
        """Return a request's status."""
        with self.caller() as http:
            answer = http.get(f"/models/{model}/async_request/{request_id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def wait_for(self, model: str, request_id: str, status: str, seconds: float = 60) -> None:
        """Wait until a request has a status."""
        wait_until(
            lambda: self.status(model, request_id)["status"] == status,
            seconds,
            f"{request_id} to be {status}",
        )


@contextmanager
def running_stack(
    folder: Path, settings: str, program: Sequence[str] = (PENSTOCK, "local", "up")
) -> Iterator[Stack]:
    """Run a stack below `folder` until the block ends."""
    settings_file = folder / "Pulumi.test.yaml"
    settings_file.write_text(settings)
    state = StateFolder.at(folder / "local")
    command = [*program, "--settings", str(settings_file), "--state", str(state.path)]
    with (folder / "up.log").open("wb") as log:
        supervisor = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(
            lambda: state.running_stack.exists() or supervisor.poll() is not None,
            START_SECONDS,
            "the stack to start",
        )
        assert supervisor.poll() is None, (folder / "up.log").read_text()
        yield Stack(state, supervisor)
    finally:
        if supervisor.poll() is None:
            os.kill(supervisor.pid, signal.SIGTERM)
        supervisor.wait(60)
        bring_down(state)
