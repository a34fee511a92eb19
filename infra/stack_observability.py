"""What operators see of a stack: alarms, and a dashboard."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi

from infra.components.custody.custody import Custody
from infra.components.observability.alarm_receivers import AlarmReceivers, AlarmReceiversArgs
from infra.components.observability.collector.collector import OTLP_ENDPOINT
from infra.components.observability.dashboard import Dashboard, DashboardArgs
from infra.components.observability.deployment_alarms import (
    DeploymentAlarms,
    DeploymentAlarmsArgs,
)
from infra.components.observability.deployment_row import WatchedDeployment
from infra.components.observability.stack_alarms import StackAlarms, StackAlarmsArgs
from infra.components.pipeline.request_queues import RequestQueues
from infra.cost.estimate import estimate
from infra.kept_data import KeptData
from infra.settings.instance import Instance
from infra.settings.model_settings import DeploymentSettings
from infra.settings.stack_settings import StackSettings


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What there is to look at."""

    settings: StackSettings
    custody: Custody
    api_name: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    sweeper_name: pulumi.Input[str]
    data: KeptData
    queues: Mapping[str, RequestQueues]
    """By deployment id."""

    @property
    def deployments(self) -> Iterator[tuple[str, DeploymentSettings]]:
        """Each deployment with its id."""
        for model_id, model in self.settings.models.items():
            for name, deployment in model.deployments.items():
                yield f"{model_id}-{name}", deployment


def worker_telemetry(settings: StackSettings) -> dict[str, str]:
    """Return the standard variables that tell workers where their traces go, if anywhere."""
    if not settings.brings_traces:
        return {}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": OTLP_ENDPOINT,
        "OTEL_SERVICE_NAME": "penstock-worker",
        # X-Ray decides at the API; this is for requests of which it did not.
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": str(settings.observability.trace_percent / 100),
    }


def declare_observability(watched: Watched, opts: pulumi.ResourceOptions) -> None:
    """Declare alarms, and a dashboard if the stack is to have one."""
    _declare_alarms(watched, opts)
    if watched.settings.observability.dashboard:
        _declare_dashboard(watched, opts)


def _declare_alarms(watched: Watched, opts: pulumi.ResourceOptions) -> None:
    settings, stack = watched.settings.observability.alarms, pulumi.get_stack()
    told = AlarmReceiversArgs(
        account_id=watched.custody.account_id, key_arn=watched.custody.key_arn, settings=settings
    )
    receivers = AlarmReceivers("alarms", told, opts).topic_arns
    of_stack = StackAlarmsArgs(
        stack=stack,
        api_name=watched.api_name,
        stage_name=watched.stage_name,
        sweeper_name=watched.sweeper_name,
        webhook_dead_letter_queue_url=watched.data.notifications.webhook_dead_letter_queue_url,
        settings=settings,
        receivers=receivers,
    )
    StackAlarms("alarms-stack", of_stack, opts)
    for deployment_id, deployment in watched.deployments if settings.watch_deployments else ():
        queues = watched.queues[deployment_id]
        of_deployment = DeploymentAlarmsArgs(
            stack=stack,
            deployment_id=deployment_id,
            deployment=deployment,
            queue_urls=queues.urls,
            dead_letter_queue_url=queues.dead_letter_queue_url,
            settings=settings,
            receivers=receivers,
        )
        DeploymentAlarms(f"alarms-{deployment_id}", of_deployment, opts)


def _declare_dashboard(watched: Watched, opts: pulumi.ResourceOptions) -> None:
    settings, told = watched.settings, watched.data.notifications
    args = DashboardArgs(
        stack=pulumi.get_stack(),
        region=settings.region,
        api_name=watched.api_name,
        stage_name=watched.stage_name,
        succeeded_topic=told.succeeded_topic,
        failed_topic=told.failed_topic,
        webhook_dead_letter_queue_url=told.webhook_dead_letter_queue_url,
        deployments=[*_on_the_page(watched)],
        sees_workers=settings.has_collector,
    )
    Dashboard("dashboard", args, opts)


def _on_the_page(watched: Watched) -> Iterator[WatchedDeployment]:
    # Of each deployment the first capacity that is tried.
    prices = {
        cost.deployment: cost.usd_per_replica_hour
        for cost in reversed(estimate(watched.settings).deployments)
    }
    for deployment_id, deployment in watched.deployments:
        queues = watched.queues[deployment_id]
        yield WatchedDeployment(
            deployment_id=deployment_id,
            queue_urls=queues.urls,
            dead_letter_queue_url=queues.dead_letter_queue_url,
            has_gpu=Instance.parse(deployment.instance).gpu is not None,
            usd_per_worker_hour=prices[deployment_id],
        )
