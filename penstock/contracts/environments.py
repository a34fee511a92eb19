"""The environment variables of every process, read and written through the same classes.

Infra fills a process's environment with `variables()`, the process reads it with `read()`: a
variable that one side renames fails the other side's tests instead of a cold start.
"""

import os
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from penstock.contracts.errors import SettingsError
from penstock.contracts.http.webhook_url import HTTPS_PORT

_PREFIX = "PENSTOCK_"

Seconds = Annotated[float, Field(gt=0)]


def _split(text: object) -> object:
    return text.split(",") if isinstance(text, str) else text


Ports = Annotated[
    tuple[Annotated[int, Field(ge=1, le=65_535)], ...], Field(min_length=1), BeforeValidator(_split)
]
"""Port numbers, with commas in between."""


class ProcessEnvironment(BaseModel):
    """Typed environment variables; field `requests_table` is `PENSTOCK_REQUESTS_TABLE`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    process: ClassVar[str]

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read this process's variables.

        Raises:
            SettingsError: a variable is missing or cannot be read; the text names each.
        """
        environ = os.environ if environ is None else environ
        values = {
            name: environ[variable]
            for name in cls.model_fields
            if (variable := _PREFIX + name.upper()) in environ
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = ", ".join(
                f"{_PREFIX}{str(detail['loc'][0]).upper()} ({detail['msg']})"
                for detail in error.errors()
            )
            raise SettingsError(f"environment of {cls.process}: {wrong}") from error

    @classmethod
    def variables(cls, **values: object) -> dict[str, Any]:
        """Return the variables to set, by name; values may still be unknown to infra.

        Raises:
            SettingsError: a required field is left out, or there is no such field.
        """
        unknown = set(values) - set(cls.model_fields)
        missing = {name for name, field in cls.model_fields.items() if field.is_required()}
        missing -= set(values)
        if unknown or missing:
            wrong = f"unknown {sorted(unknown)}, missing {sorted(missing)}"
            raise SettingsError(f"environment of {cls.process}: {wrong}")
        return {_PREFIX + name.upper(): value for name, value in values.items()}


class AuthorizerEnvironment(ProcessEnvironment):
    """What the authorizer function needs."""

    process = "authorizer"
    api_keys_table: str


class IntakeEnvironment(ProcessEnvironment):
    """What the intake function needs."""

    process = "intake"
    catalog_table: str
    requests_table: str
    payloads_bucket: str
    max_payload_bytes: Annotated[int, Field(ge=1)] = 262_144
    allow_local_webhooks: bool = False
    """Whether `http://` webhooks on loopback are taken, for development."""

    webhook_ports: Ports = (HTTPS_PORT,)
    limits_table: str = ""
    """Where the rate of each tenant is counted; needed only with a rate limit."""

    tenant_requests_per_second: Annotated[int, Field(ge=0)] = 0
    """0: no limit."""

    tenant_outstanding_requests: Annotated[int, Field(ge=0)] = 0
    """0: no limit."""

    results_bucket: str
    """Where results of SageMaker callers go by default, and what a waiting call is answered."""

    api_keys_table: str
    signing_master_secret_id: str
    """Secrets Manager: what the secrets of access keys are derived from."""

    wait_seconds: Annotated[float, Field(ge=0, le=28)] = 25
    """How long a synchronous call waits for its result; API Gateway waits 29 s."""

    inline_result_bytes: Annotated[int, Field(ge=0, le=4_194_304)] = 4_194_304
    """A longer answer to a waiting call is a redirect to S3."""

    upload_url_seconds: Annotated[int, Field(ge=60, le=43_200)] = 3_600


class StatusEnvironment(ProcessEnvironment):
    """What the status function needs."""

    process = "status"
    catalog_table: str
    requests_table: str
    results_bucket: str
    result_url_seconds: Annotated[int, Field(ge=1, le=604_800)] = 900
    inline_result_bytes: Annotated[int, Field(ge=0, le=5_000_000)] = 262_144
    """JSON results up to this size are answered inline; others by a redirect to S3."""

    limits_table: str = ""
    tenant_calls_per_second: Annotated[int, Field(ge=0)] = 0
    """Status, cancel and result calls of one tenant; 0: no limit."""


class WebhooksEnvironment(ProcessEnvironment):
    """What the webhooks function needs."""

    process = "webhooks"
    requests_table: str
    results_bucket: str
    webhook_queue_url: str
    webhook_dead_letter_queue_url: str
    """Where a copy of a webhook that was given up is kept."""

    signing_secret_id: str
    """Secrets Manager: JSON, a `SigningSecretSet`."""

    max_attempts: Annotated[int, Field(ge=1)] = 8
    timeout_seconds: Seconds = 10
    """For one attempt in all, from the lookup of the name to the end of the answer's head."""

    allow_local_webhooks: bool = False
    webhook_ports: Ports = (HTTPS_PORT,)
    max_body_bytes: Annotated[int, Field(ge=1_024)] = 5 * 1024 * 1024
    """A result that would make the body longer is left out of it; a URL takes its place."""

    result_url_seconds: Annotated[int, Field(ge=60, le=604_800)] = 86_400
    """How long that URL may be used; never longer than the credentials that signed it last."""


class SweeperEnvironment(ProcessEnvironment):
    """What the sweeper function needs."""

    process = "sweeper"
    catalog_table: str
    requests_table: str
    results_bucket: str
    succeeded_topic: str
    failed_topic: str


class DispatcherEnvironment(ProcessEnvironment):
    """What the dispatcher of one deployment needs."""

    process = "dispatcher"
    model_id: str
    deployment_id: str
    queue_url_p0: str
    queue_url_p1: str
    queue_url_p2: str
    dead_letter_queue_url: str
    requests_table: str
    payloads_bucket: str
    results_bucket: str
    succeeded_topic: str
    failed_topic: str
    model_server_url: str = "http://127.0.0.1:8080"
    model_server_preset: Literal["truss", "sagemaker", "http"] = "truss"
    model_server_predict_path: str = ""
    """Where preset `http` takes predictions; the others know."""

    model_server_health_path: str = ""
    """What preset `http` answers 200 when it is ready; the others know."""

    concurrency_target: Annotated[int, Field(ge=1)] = 1
    max_batch_size: Annotated[int, Field(ge=1)] = 1
    """How many requests share a call to the model server at most; 1: each has its own."""

    max_batch_wait_ms: Annotated[int, Field(ge=0)] = 0
    """How long the first request of a batch waits for others."""

    predict_timeout_seconds: Annotated[float, Field(gt=0, le=41_400)] = 3_600
    """At most 11.5 h: SQS keeps a received message invisible for 12 h in total."""

    lease_seconds: Annotated[float, Field(ge=3, le=600)] = 30
    hold_budget_seconds: Annotated[float, Field(ge=0)] = 2
    """A message is fetched ahead only if its request would start within this time."""

    low_priority_share: Annotated[float, Field(ge=0, le=0.5)] = 0
    """Share of starts that goes to the lowest waiting priority; 0 is strict priority."""

    max_input_bytes: Annotated[int, Field(ge=1)] = 1024**3
    """A longer input in S3 fails the request."""

    max_result_bytes: Annotated[int, Field(ge=1)] = 2 * 1024**3
    """A longer answer of the model server fails the attempt."""

    restart_after_stop: bool = False
    """Whether the model server works on after its call was closed, so that it must be restarted."""

    watch_spot_notice: bool = False
    """Whether the instance metadata is asked for a spot interruption; needs hop limit 2."""

    drain_seconds: Seconds = 3_600
    """How long running requests may go on after SIGTERM."""

    port: Annotated[int, Field(ge=1, le=65_535)] = 9_090
    """Where `/healthz`, `/readyz` and `/metrics` are served."""

    @property
    def queue_urls(self) -> tuple[str, str, str]:
        """The queues in order of priority."""
        return self.queue_url_p0, self.queue_url_p1, self.queue_url_p2


class ModelCredentialsEnvironment(ProcessEnvironment):
    """What serves a model the credentials of its own role."""

    process = "model credentials"
    model_role: str
    """The ARN of the role."""

    deployment_id: str
    token_file: str
    """Where the model container finds what it must show."""

    credentials_port: Annotated[int, Field(ge=1, le=65_535)] = 9_092
    """On loopback."""

    port: Annotated[int, Field(ge=1, le=65_535)] = 9_091
    """Where `/healthz` is served."""
