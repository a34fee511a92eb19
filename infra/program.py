"""A whole stack, declared from its settings."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.images import dispatcher_image, model_images
from infra.components.api.lambda_function import LambdaCode
from infra.components.api.pipeline_functions import (
    WEBHOOKS_TIMEOUT_SECONDS,
    PipelineFunctions,
    PipelineFunctionsArgs,
)
from infra.components.api.request_api import RequestApi, RequestApiArgs
from infra.components.compute.served_model import ServedModel, ServedModelArgs
from infra.components.compute.worker_deployment import WorkerPlatform
from infra.components.pipeline.notifications import Notifications, NotificationsArgs
from infra.components.pipeline.payload_store import PayloadStore, PayloadStoreArgs
from infra.components.pipeline.signing_secret import SigningSecret, SigningSecretArgs
from infra.components.pipeline.table import Attribute, Index, Table, TableArgs
from infra.settings.stack_settings import StackSettings

_SWEEP = Index(
    name="sweep", hash_key=Attribute("sweep_shard", "S"), range_key=Attribute("sweep_at", "N")
)
_OPEN = Index(
    name="open", hash_key=Attribute("open_tenant", "S"), range_key=Attribute("created_at", "N")
)


def declare(settings: StackSettings, artifacts: Artifacts) -> dict[str, pulumi.Input[str]]:
    """Declare a stack and return what it exports: the fields of `StackOutputs`."""
    opts = pulumi.ResourceOptions(providers=_providers(settings))
    data = _declare_data(settings, opts)
    api = _declare_api(settings, _declare_functions(settings, artifacts, data, opts), opts)
    if settings.models:
        _declare_models(settings, artifacts, data, opts)
    return {
        "api_url": api.url,
        "region": settings.region,
        "requests_table": data.requests.name,
        "catalog_table": data.catalog.name,
        "api_keys_table": data.api_keys.name,
        "payloads_bucket": data.store.payloads.name,
        "results_bucket": data.store.results.name,
        "succeeded_topic": data.notifications.succeeded_topic,
        "failed_topic": data.notifications.failed_topic,
        "webhook_queue_url": data.notifications.webhook_queue_url,
        "webhook_dead_letter_queue_url": data.notifications.webhook_dead_letter_queue_url,
        "webhook_signing_secret_id": data.signing_secret.arn,
    }


@dataclass(frozen=True, kw_only=True)
class _Data:
    """Everything that is kept."""

    requests: Table
    catalog: Table
    api_keys: Table
    limits: Table
    store: PayloadStore
    notifications: Notifications
    signing_secret: SigningSecret


def _providers(settings: StackSettings) -> list[pulumi.ProviderResource]:
    tags = {"Project": "penstock", "Environment": settings.environment, **settings.tags}
    cluster = settings.cluster
    return [
        aws.Provider("aws", region=settings.region, default_tags={"tags": tags}),
        k8s.Provider("cluster", context=cluster.kubeconfig_context, namespace=cluster.namespace),
    ]


def _declare_data(settings: StackSettings, opts: pulumi.ResourceOptions) -> _Data:
    kept = settings.is_protected
    requests = TableArgs(
        hash_key="request_id",
        indexes=[_SWEEP, _OPEN],
        purge_attribute="purge_at",
        is_protected=kept,
    )
    limits = TableArgs(hash_key="window", purge_attribute="purge_at", is_protected=kept)
    store = PayloadStoreArgs(
        payload_days=settings.retention.payload_days,
        result_days=settings.retention.result_days,
        is_protected=kept,
    )
    notifications = NotificationsArgs(
        visibility_seconds=6 * WEBHOOKS_TIMEOUT_SECONDS,
        # The function leaves the message after its last attempt: it becomes a dead letter.
        max_receives=settings.webhooks.max_attempts,
    )
    secret = SigningSecretArgs(recovery_days=30 if kept else 0)
    return _Data(
        requests=Table("requests", requests, opts),
        catalog=Table("catalog", TableArgs(hash_key="model_id", is_protected=kept), opts),
        api_keys=Table("api-keys", TableArgs(hash_key="prefix", is_protected=kept), opts),
        limits=Table("limits", limits, opts),
        store=PayloadStore("store", store, opts),
        notifications=Notifications("notifications", notifications, opts),
        signing_secret=SigningSecret("webhook-signing", secret, opts),
    )


def _declare_functions(
    settings: StackSettings, artifacts: Artifacts, data: _Data, opts: pulumi.ResourceOptions
) -> PipelineFunctions:
    args = PipelineFunctionsArgs(
        stack=pulumi.get_stack(),
        code=LambdaCode(
            archive=pulumi.FileArchive(str(artifacts.lambda_archive())),
            runtime=artifacts.lambda_runtime,
            architecture=artifacts.lambda_architecture,
        ),
        requests=data.requests,
        catalog=data.catalog,
        api_keys=data.api_keys,
        limits=data.limits,
        open_requests=_OPEN,
        due_requests=_SWEEP,
        store=data.store,
        notifications=data.notifications,
        signing_secret=data.signing_secret,
        max_payload_bytes=settings.api.max_payload_bytes,
        tenant_requests_per_second=settings.tenants.requests_per_second,
        tenant_outstanding_requests=settings.tenants.outstanding_requests,
        webhook_attempts=settings.webhooks.max_attempts,
        allow_local_webhooks=settings.webhooks.allow_local,
        webhook_ports=settings.webhooks.ports,
        log_days=settings.retention.log_days,
    )
    return PipelineFunctions("functions", args, opts)


def _declare_api(
    settings: StackSettings, functions: PipelineFunctions, opts: pulumi.ResourceOptions
) -> RequestApi:
    args = RequestApiArgs(
        authorizer=functions.authorizer,
        functions={"intake": functions.intake, "status": functions.status},
        rate_per_second=settings.api.rate_per_second,
        burst=settings.api.burst,
        log_days=settings.retention.log_days,
        sets_account_log_role=settings.api.sets_account_log_role,
    )
    return RequestApi("api", args, opts)


def _declare_models(
    settings: StackSettings, artifacts: Artifacts, data: _Data, opts: pulumi.ResourceOptions
) -> None:
    kept = settings.is_protected
    platform = WorkerPlatform(
        cluster_name=settings.cluster.name,
        namespace=_declare_namespace(settings.cluster.namespace, opts),
        region=settings.region,
        dispatcher_image=dispatcher_image(opts, is_protected=kept),
        requests=data.requests,
        store=data.store,
        notifications=data.notifications,
    )
    for model_id, model in settings.models.items():
        args = ServedModelArgs(
            stack=pulumi.get_stack(),
            platform=platform,
            catalog=data.catalog,
            settings=model,
            images=model_images(model_id, model, artifacts, opts, is_protected=kept),
        )
        ServedModel(model_id, args, opts)


def _declare_namespace(name: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = k8s.core.v1.Namespace(
        "workers", metadata={"name": name, "labels": labels}, opts=opts
    )
    return namespace.metadata.name
