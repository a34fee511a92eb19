"""What can be said of a model and of its deployments."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from infra.settings.instance import Instance
from infra.settings.settings import Settings
from penstock.autoscaling.settings import AutoscalingSettings

DEPLOYMENT_ID_LENGTH = 48
"""The longest deployment id: with what is put around it, it still fits the HPA's 63 characters,
IAM's 64 and SQS's 80."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _label(name: str) -> str:
    if not _LABEL.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a name: at most 40 of a-z, 0-9 and hyphens, no hyphen at an end"
        )
    return name


def _pinned(image: str) -> str:
    if not _DIGEST.fullmatch(image):
        raise ValueError(f"{image!r} can change under its tag; write repository@sha256:<digest>")
    return image


def _parsed(instance: str) -> str:
    Instance.parse(instance)
    return instance


def _free_variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an environment variable")
    if name.startswith("PENSTOCK_"):
        raise ValueError(f"{name}: names that begin with PENSTOCK_ are the platform's own")
    return name


Label = Annotated[str, AfterValidator(_label)]
"""A name that can be part of a host name."""


class DeploymentSettings(Settings):
    """One version of a model and how it runs. Exactly one of `truss` and `image` is given."""

    truss: str | None = None
    """A Truss directory, relative to the repository's root."""

    image: Annotated[str, AfterValidator(_pinned)] | None = None
    """A ready model server image, by digest, that speaks the Truss server's protocol."""

    instance: Annotated[str, AfterValidator(_parsed)]
    """What one replica runs on: `CPU:4x16`, `L4`, `L4:2`, `L4:4x16`."""

    autoscaling: AutoscalingSettings = AutoscalingSettings()
    lease_seconds: Annotated[int, Field(ge=3, le=600)] = 30
    """How long a silent worker keeps a request; heartbeats come three times as often."""

    predict_timeout_seconds: Annotated[int, Field(ge=1, le=41_400)] = 3_600
    """At most 11.5 h: SQS keeps a received message invisible for 12 h in total."""

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
    """Whether a worker drains when its node's instance metadata announces a spot interruption;
    the nodes then need a metadata hop limit of 2."""

    environment_variables: dict[Annotated[str, AfterValidator(_free_variable)], str] = Field(
        default_factory=dict
    )
    """Given to the model server. Not for secrets: they would lie in this file and in etcd."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.truss is None) == (self.image is None):
            raise ValueError("give exactly one of truss and image")
        return self


class ModelSettings(Settings):
    """A model: its deployments by name, and which environment points to which of them."""

    deployments: Annotated[dict[Label, DeploymentSettings], Field(min_length=1)]
    environments: dict[Label, str] = Field(default_factory=dict)
    """Environment to deployment; with a single deployment, `production` is that one."""

    @model_validator(mode="after")
    def _points_somewhere(self) -> Self:
        for environment, deployment in self.environments.items():
            if deployment not in self.deployments:
                raise ValueError(f"environment {environment}: there is no deployment {deployment}")
        if "production" not in self.environments and len(self.deployments) > 1:
            raise ValueError("say in environments which deployment production is")
        return self

    @property
    def pointers(self) -> dict[str, str]:
        """Environment to deployment, with `production` always there."""
        return {"production": next(iter(self.deployments)), **self.environments}
