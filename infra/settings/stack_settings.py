"""Everything a stack can be told: the block `penstock:settings` of `Pulumi.<stack>.yaml`."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

import pulumi
import yaml
from pydantic import AfterValidator, Field, model_validator

from infra.settings.api.api_settings import ApiSettings
from infra.settings.cluster_settings import ClusterSettings
from infra.settings.image_settings import ImageSettings
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.fleet_plan import plan_fleet
from infra.settings.model_settings import DeploymentSettings, Label, ModelSettings
from infra.settings.models.addresses import check_addresses
from infra.settings.models.fingerprints import check_fingerprints
from infra.settings.network_settings import NetworkSettings
from infra.settings.observability_settings import ObservabilitySettings
from infra.settings.settings import Settings
from infra.settings.tags import checked_tags
from penstock.contracts.errors import SettingsError

LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]
"""The retentions that CloudWatch Logs knows."""


_REGION = re.compile(r"(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-\d")
"""Of the partition `aws`, as botocore tells them from those of others."""


def _region(name: str) -> str:
    if not _REGION.fullmatch(name):
        raise ValueError(
            f"{name} is no region of the partition aws, and ARNs and hosts are named in that one:"
            " choose one such as eu-west-1"
        )
    return name


class TenantSettings(Settings):
    """How much one tenant may ask; what is more is answered 429 and not accepted."""

    requests_per_second: Annotated[int, Field(ge=0, le=1_000)] = 0
    """Submissions; 0: no limit. DynamoDB counts up to 1,000 a second under one key."""

    outstanding_requests: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Requests that have not ended; 0: no limit. Counted every few seconds, so a burst may pass
    it by a little."""

    status_calls_per_second: Annotated[int, Field(ge=0, le=1_000)] = 0
    """Calls for status, result and cancellation; 0: no limit."""


class WebhookSettings(Settings):
    """How results are delivered to callers."""

    max_attempts: Annotated[int, Field(ge=1, le=20)] = 8
    """How often a webhook is sent before the request shows `WEBHOOK_FAILED`: 8 attempts take about
    6 hours."""

    ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65_535)], ...], Field(min_length=1)] = (
        443,
    )
    """Ports of receivers that webhooks may be sent to."""

    allow_local: bool = False
    """Whether `http://` webhooks on loopback are taken; for a laptop only."""


class RetentionSettings(Settings):
    """How long things are kept."""

    result_days: Annotated[int, Field(ge=1, le=3_650)] = 14
    """Days until results and failure documents are deleted."""

    payload_days: Annotated[int, Field(ge=4, le=3_650)] = 4
    """Days until inputs are deleted. At least 4: a request may wait 72 h for its turn, and S3
    deletes up to a day late."""

    log_days: LogDays = 30
    """Days until log entries are deleted: those of functions, of the API's calls, of the cluster
    and of refused connections."""


class StackSettings(Settings):
    """All of `Pulumi.<stack>.yaml`, under its one key."""

    environment: Literal["local", "dev", "staging", "production"]
    """In staging and production nothing that holds data can be deleted by accident."""

    region: Annotated[str, Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d$"), AfterValidator(_region)]
    """The AWS region that everything is in, such as `eu-west-1`; not one of GovCloud, China or
    another partition of AWS."""

    encryption: Literal["aws", "customer"] | None = None
    """Under which keys data lies: those that AWS keeps in your account, or one of your own, which
    only you can give to others, disable and delete, and whose every use CloudTrail shows. That one
    costs 1 USD a month, 2 and then 3 after its yearly rotations, and 0.03 USD for 10,000 calls: a
    queue that many callers use costs about 2 calls an hour for each. Absent: `customer` in staging
    and production, `aws` elsewhere. Choose before there is data: the way back leaves what is
    stored under a key that `pulumi up` would delete."""

    network: NetworkSettings | None = None
    """For a cluster that is created; one that is there has a network."""

    cluster: ClusterSettings
    api: ApiSettings = ApiSettings()
    tenants: TenantSettings = TenantSettings()
    webhooks: WebhookSettings = WebhookSettings()
    retention: RetentionSettings = RetentionSettings()
    images: ImageSettings = ImageSettings()
    observability: ObservabilitySettings = ObservabilitySettings()
    tags: Annotated[dict[str, str], AfterValidator(checked_tags)] = Field(default_factory=dict)
    """Put on every AWS resource, beside `Project` and `Environment`; at most 35."""

    models: dict[Label, ModelSettings] = Field(default_factory=dict)
    """Model to what serves it. Callers address the name: at most 40 of a-z, 0-9 and hyphens."""

    chains: dict[Label, str] = Field(default_factory=dict)
    """Chain to the model that its callers reach: another address of the same deployments."""

    @classmethod
    def load(cls) -> Self:
        """Read and check the settings of the stack that is being deployed."""
        return cls.checked(pulumi.Config("penstock").require_object("settings"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check the settings in a stack file."""
        try:
            values = yaml.safe_load(path.read_text())["config"]["penstock:settings"]
        except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
            raise SettingsError(f"{path}: cannot read config.penstock:settings") from error
        return cls.checked(values)

    @property
    def deployments(self) -> tuple[DeploymentSettings, ...]:
        """Those of all models."""
        return tuple(
            deployment
            for model in self.models.values()
            for deployment in model.deployments.values()
        )

    @property
    def is_protected(self) -> bool:
        """Whether tables, buckets and secrets refuse to be deleted."""
        return self.environment in {"staging", "production"}

    @property
    def has_own_key(self) -> bool:
        """Whether data lies under a key of the account's own."""
        if self.encryption is None:
            return self.is_protected
        return self.encryption == "customer"

    @property
    def has_collector(self) -> bool:
        """Whether metrics of workers are brought to CloudWatch."""
        return self.cluster.create is not None and self.observability.collector

    @property
    def brings_traces(self) -> bool:
        """Whether traces of workers are brought to X-Ray, which has no interface endpoint here."""
        has_way_out = self.network is not None and self.network.egress != "private"
        return self.has_collector and has_way_out

    @property
    def resource_tags(self) -> dict[str, str]:
        """What every AWS resource is tagged with."""
        return {"Project": "penstock", "Environment": self.environment, **self.tags}

    @model_validator(mode="after")
    def _has_a_place_for_workers(self) -> Self:
        self.cluster.check_network(self.network)
        if self.cluster.create:
            if self.environment == "local":
                raise ValueError("cluster.create: a laptop has no EKS; give kubeconfig_context")
            plan_fleet(self.models, self.cluster.create.fleet, Catalogue.load())
        return self

    @model_validator(mode="after")
    def _has_a_place_for_callers(self) -> Self:
        if self.api.domain:
            self.api.domain.check_region(self.region)
        if self.environment == "local" and (self.api.domain or self.api.firewall):
            raise ValueError("api.domain, api.firewall: a laptop has neither; leave them out")
        return self

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.environment == "local" and self.encryption == "customer":
            raise ValueError("encryption: a laptop has no KMS; leave customer out")
        if self.is_protected and self.webhooks.allow_local:
            raise ValueError(f"webhooks.allow_local is not for {self.environment}")
        return self

    @model_validator(mode="after")
    def _is_unambiguous(self) -> Self:
        check_addresses(self.models, self.chains)
        check_fingerprints(self.models)
        return self
