"""A local stack with one deployment for each dialect, and what its clients need to know."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3
import pytest
import yaml

from penstock.local.emulated_aws import ACCOUNT_ID, CREDENTIALS
from tests.e2e.stack import PENSTOCK, Stack, running_stack

INPUT_BUCKET = "penstock-inputs"
ENDPOINT = "echo-container"
MAX_PAYLOAD_BYTES = 1_048_576
SUCCESS_TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT_ID}:invocations-completed"
ERROR_TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT_ID}:invocations-failed"

_WORKERS = {
    "instance": "CPU:1x2",
    "lease_seconds": 10,
    "drain_seconds": 10,
    "autoscaling": {"max_replica": 1, "concurrency_target": 4, "scale_down_delay": 60},
}
_CONTAINER = {**_WORKERS, "container": "examples/containers/echo"}
_WEB = {**_CONTAINER, "preset": "http", "predict_path": "/", "health_path": "/health"}


def _settings() -> str:
    deployments: dict[str, dict[str, Any]] = {
        "echo": {**_WORKERS, "truss": "examples/models/echo"},
        ENDPOINT: {
            **_CONTAINER,
            "preset": "sagemaker",
            "input_buckets": [INPUT_BUCKET],
            "sagemaker": {
                "success_topic": SUCCESS_TOPIC,
                "error_topic": ERROR_TOPIC,
                "include_response_in": ["success"],
            },
        },
        "web": {**_WEB, "input_buckets": [INPUT_BUCKET]},
        "sleeper": _WEB,
    }
    settings = {
        "environment": "local",
        "region": "us-east-1",
        "cluster": {"name": "local", "kubeconfig_context": "local"},
        "api": {"max_payload_bytes": MAX_PAYLOAD_BYTES},
        "webhooks": {"allow_local": True},
        "chains": {"both": "echo"},
        "models": {name: {"deployments": {"v1": own}} for name, own in deployments.items()},
    }
    return yaml.safe_dump({"config": {"penstock:settings": settings}})


@dataclass(frozen=True)
class AccessKey:
    """What SageMaker clients sign with."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True)
class Clients:
    """A stack as clients of all dialects see it."""

    stack: Stack
    folder: Path

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.stack.description.front_url

    @property
    def key(self) -> str:
        """An API key."""
        return self.stack.description.api_key

    @cached_property
    def access_key(self) -> AccessKey:
        """A pair as an operator issues it, of the same tenant as `key`."""
        return self.new_access_key("local")

    def new_access_key(self, tenant: str) -> AccessKey:
        """Issue a pair with the command line."""
        done = subprocess.run(
            [PENSTOCK, "keys", "create", "--tenant", tenant, "--sigv4", "--json"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        issued = json.loads(done.stdout)
        return AccessKey(issued["access_key_id"], issued["secret_access_key"])

    @property
    def environment(self) -> dict[str, str]:
        """What a user sets: the API and its keys, and S3 with keys of AWS."""
        return {
            "PENSTOCK_API_URL": self.url,
            "PENSTOCK_API_KEY": self.key,
            "PENSTOCK_ACCESS_KEY_ID": self.access_key.access_key_id,
            "PENSTOCK_SECRET_ACCESS_KEY": self.access_key.secret_access_key,
            "INPUT_BUCKET": INPUT_BUCKET,
            "AWS_ENDPOINT_URL_S3": self.stack.description.aws_endpoint_url,
            **CREDENTIALS,
        }

    def runtime(self, key: AccessKey | None = None, **options: Any) -> Any:
        """Return boto3's own client; `endpoint_url` and the keys are all that is special."""
        key = key or self.access_key
        return boto3.client(
            "sagemaker-runtime",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            **options,
        )

    def object_at(self, uri: str) -> tuple[bytes, str] | None:
        """Return what lies at an S3 URI, and its content type."""
        place, s3 = urlparse(uri), self.stack.aws.s3
        try:
            found = s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
        except s3.exceptions.NoSuchKey:
            return None
        return found["Body"].read(), found["ContentType"]


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    folder = tmp_path_factory.mktemp("clients")
    with running_stack(folder, _settings()) as stack:
        # The command line looks for the running stack here.
        (folder / ".penstock").mkdir()
        (folder / ".penstock" / "local").symlink_to(stack.folder.path)
        yield Clients(stack, folder)
