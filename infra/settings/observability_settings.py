"""How operators see a stack, and when it calls them."""

from typing import Annotated

from pydantic import Field

from infra.settings.settings import Settings

Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
TopicArn = Annotated[str, Field(pattern=r"^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w-]+$")]


class AlarmSettings(Settings):
    """When an alarm goes off, and who hears of it.

    Without a receiver alarms are only seen in the console. CloudWatch asks 0.10 USD a month for
    each metric that an alarm looks at: 8 for the stack and 16 for each deployment.
    """

    emails: tuple[Email, ...] = ()
    """Each is sent a link to confirm with."""

    topic_arn: TopicArn | None = None
    """An SNS topic of yours; its policy must let `cloudwatch.amazonaws.com` publish."""

    watch_deployments: bool = True
    """Whether each deployment has alarms of its own, beside those of the stack."""

    oldest_request_minutes: Annotated[int, Field(ge=1, le=4_320)] = 60
    """How many minutes old a deployment's oldest request may be, beside the time that one may
    take."""

    at_most_workers_minutes: Annotated[int, Field(ge=5, le=1_440)] = 60
    """For how long a deployment may have more requests than all its workers run, while some
    wait."""

    no_worker_minutes: Annotated[int, Field(ge=5, le=1_440)] = 30
    """For how long requests may wait while nobody works; a cold start takes that long at most."""

    webhook_failure_percent: Annotated[int, Field(ge=1, le=100)] = 25
    """How many of a quarter of an hour's attempts to deliver webhooks may fail."""


class ObservabilitySettings(Settings):
    """Dashboard, alarms and the collector of a stack."""

    dashboard: bool = True
    """A CloudWatch dashboard; beyond three in an account, 3 USD a month each."""

    collector: bool = True
    """Whether a cluster that this stack creates brings metrics of workers and GPUs to CloudWatch,
    and traces of workers to X-Ray: while a deployment has workers about 0.30 USD a month for each
    of 9 metrics, 0.50 USD for each GB of their records, and 5 USD for a million traces. A cluster
    that is there has none of ours."""

    trace_percent: Annotated[float, Field(ge=0, le=100)] = 5
    """How many requests that came without a decision of X-Ray are traced by workers."""

    alarms: AlarmSettings = AlarmSettings()
