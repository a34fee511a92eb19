"""What can be said of a model and of its deployments."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from infra.settings.instance import Instance
from infra.settings.models.batching import BatchingSettings
from infra.settings.models.caller_places import BUCKETS_LENGTH, BucketName, SageMakerSettings
from infra.settings.models.model_server import ModelServerSettings
from infra.settings.settings import Settings
from penstock.autoscaling.settings import AutoscalingSettings

DEPLOYMENT_ID_LENGTH = 48
"""The longest deployment id: with what is put around it, it still fits the HPA's 63 characters,
IAM's 64 and SQS's 80."""

MODEL_CREDENTIALS_PORTS = MODEL_CREDENTIALS_HEALTH_PORT, MODEL_CREDENTIALS_PORT = 9_091, 9_092
"""Where the sidecar of a `model_role` listens."""

_GIB = 1024**3
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def _label(name: str) -> str:
    if not _LABEL.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a name: at most 40 of a-z, 0-9 and hyphens, no hyphen at an end"
        )
    return name


def _parsed(instance: str) -> str:
    Instance.parse(instance)
    return instance


RoleArn = Annotated[
    str, Field(pattern=r"^arn:aws:iam::\d{12}:role/([!-.0-~]+/)*[A-Za-z0-9+=,.@_-]{1,64}$")
]

Label = Annotated[str, AfterValidator(_label)]
"""A name that can be part of a host name."""


class DeploymentSettings(ModelServerSettings):
    """One version of a model and how it runs."""

    instance: Annotated[str, AfterValidator(_parsed)]
    """What one replica runs on: `CPU:4x16`, `L4`, `L4:2`, `L4:4x16`."""

    autoscaling: AutoscalingSettings = AutoscalingSettings()
    batching: BatchingSettings | None = None
    """For model servers that take several requests in one call. Absent: each has its own call."""

    lease_seconds: Annotated[int, Field(ge=3, le=600)] = 30
    """How long a silent worker keeps a request; heartbeats come three times as often."""

    predict_timeout_seconds: Annotated[int, Field(ge=1, le=41_400)] = 3_600
    """How long one attempt may take, and what a request may ask for at most. No more than 11.5 h:
    SQS keeps a received message invisible for 12 h in total."""

    hold_budget_seconds: Annotated[float, Field(ge=0, le=60)] = 2
    """A message is fetched ahead only if its request would start within this time."""

    low_priority_share: Annotated[float, Field(ge=0, le=0.5)] = 0
    """Share of starts that goes to the lowest waiting priority; 0 is strict priority."""

    drain_seconds: Annotated[int, Field(ge=1, le=41_400)] = 3_600
    """How long running requests may go on after a worker was told to stop."""

    restart_after_stop: bool = False
    """Whether the model server is restarted when a request on it was cancelled or ran out of time:
    for models that work on after their call was closed, and so would keep the slot."""

    watch_spot_notice: bool = False
    """Whether a worker drains when its node's instance metadata announces a spot interruption.
    In a cluster that is there, its nodes then need a metadata hop limit of 2; the stack's own have
    it."""

    input_buckets: Annotated[tuple[BucketName, ...], Field(max_length=BUCKETS_LENGTH)] = ()
    """Buckets of yours from which callers may name objects as their inputs. Its workers may read
    all that lies in them."""

    model_role: RoleArn | None = None
    """An IAM role of yours that the model itself uses AWS with, such as
    `arn:aws:iam::123456789012:role/ocr-archive`. It must let the deployment's workers assume it.
    Absent: the model has no AWS credentials."""

    sagemaker: SageMakerSettings = SageMakerSettings()
    max_input_bytes: Annotated[int, Field(ge=1, le=5 * _GIB)] = _GIB
    """A longer input in S3 fails the request. An upload has 5 GiB at most."""

    max_result_bytes: Annotated[int, Field(ge=1, le=50 * _GIB)] = 2 * _GIB
    """A longer answer of the model server fails the attempt."""

    spool_gib: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """How much disk a worker may fill with inputs and results that do not fit into memory; beyond
    it Kubernetes ends the worker. Absent: enough for the largest of each of all that run (with
    `batching`: of twice as many), and of one request more."""

    @model_validator(mode="after")
    def _has_room_for_a_request(self) -> Self:
        needed = self.max_input_bytes + self.max_result_bytes
        if self.spool_gib is not None and self.spool_gib * _GIB < needed:
            raise ValueError(
                f"spool_gib: one request may need {-(-needed // _GIB)}"
                " (max_input_bytes and max_result_bytes)"
            )
        return self

    @model_validator(mode="after")
    def _leaves_ports_free(self) -> Self:
        if self.model_role and self.port in MODEL_CREDENTIALS_PORTS:
            raise ValueError(f"port: {self.port} is where model_role's credentials are served")
        return self

    @model_validator(mode="after")
    def _can_batch(self) -> Self:
        if self.batching is None:
            return self
        size, target = self.batching.max_batch_size, self.autoscaling.concurrency_target
        if target < size:
            raise ValueError(
                f"batching.max_batch_size is {size}, but autoscaling.concurrency_target, which"
                f" counts requests, is {target}: make it {2 * size}, or {size} at least"
            )
        if self.speaks == "sagemaker":
            raise ValueError("batching: containers of preset sagemaker take one request in a call")
        if self.restart_after_stop:
            raise ValueError(
                "batching and restart_after_stop: to restart the model server for one request"
                " would stop those that share its call"
            )
        return self

    @property
    def spool_limit_gib(self) -> int:
        """The disk that a worker may fill."""
        if self.spool_gib is not None:
            return self.spool_gib
        slots = self.autoscaling.concurrency_target
        # With batches, as many again may hold a slot and wait for their batch.
        requests = (slots if self.batching is None else 2 * slots) + 1
        return -(-requests * (self.max_input_bytes + self.max_result_bytes) // _GIB)


class ModelSettings(Settings):
    """A model: its deployments by name, and which environment points to which of them."""

    deployments: Annotated[dict[Label, DeploymentSettings], Field(min_length=1)]
    """Name to version of the model; all of them run."""

    environments: dict[Label, str] = Field(default_factory=dict)
    """Environment to deployment; with a single deployment, `production` is that one. A Truss model
    is told which one points to it (`production` before others, then by name), or `null`, and hears
    within two minutes when that changes; nothing is restarted for it."""

    @model_validator(mode="after")
    def _points_somewhere(self) -> Self:
        for environment, deployment in self.environments.items():
            if deployment not in self.deployments:
                raise ValueError(f"environment {environment}: there is no deployment {deployment}")
            if environment in self.deployments and environment != deployment:
                raise ValueError(
                    f"environment {environment}: a deployment of this name exists, and it points"
                    f" to {deployment}; some dialects address both alike"
                )
        if "production" not in self.environments and len(self.deployments) > 1:
            raise ValueError("say in environments which deployment production is")
        return self

    @property
    def pointers(self) -> dict[str, str]:
        """Environment to deployment, with `production` always there."""
        return {"production": next(iter(self.deployments)), **self.environments}

    def environment_of(self, deployment: str) -> str | None:
        """Return which environment a model is told that it runs in, if any points to it.

        Of several it is `production`, or else the first by name.
        """
        found = [name for name, pointer in self.pointers.items() if pointer == deployment]
        return min(found, key=lambda name: (name != "production", name), default=None)
