"""A whole stack, declared from its settings."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.images import StackImages
from infra.cluster_place import ClusterPlace, declare_cluster_place
from infra.components.api.background_functions import (
    BackgroundFunctions,
    BackgroundFunctionsArgs,
)
from infra.components.api.function_platform import FunctionPlatform
from infra.components.api.http_functions import HttpFunctions, HttpFunctionsArgs
from infra.components.api.lambda_function import LambdaCode
from infra.components.api.request_api import RequestApi, RequestApiArgs
from infra.components.compute.served_model import ServedModel, ServedModelArgs
from infra.components.compute.worker_deployment import WorkerPlatform
from infra.components.compute.worker_namespace import worker_namespace
from infra.components.front_door.api_domain import ApiDomain, ApiDomainArgs
from infra.components.isolation.closed_namespace import ClosedNamespace
from infra.components.pipeline.caller_places import CallerPlaces
from infra.components.pipeline.request_queues import RequestQueues
from infra.kept_data import KeptData, declare_data
from infra.settings.stack_settings import StackSettings
from infra.stack_custody import declare_custody
from infra.stack_observability import Watched, declare_observability, worker_telemetry


def declare(settings: StackSettings, artifacts: Artifacts) -> dict[str, pulumi.Input[str]]:
    """Declare a stack and return what it exports: the fields of `StackOutputs`."""
    for deployment_id, notes in artifacts.check_models(settings).items():
        for note in notes:
            pulumi.log.warn(f"deployment {deployment_id}: {note}")
    provider = aws.Provider(
        "aws", region=settings.region, default_tags={"tags": settings.resource_tags}
    )
    opts = pulumi.ResourceOptions(providers=[provider])
    custody = declare_custody(settings, provider, opts)
    place = declare_cluster_place(settings, custody, opts)
    data = declare_data(settings, custody, opts)
    platform = _function_platform(settings, artifacts, data)
    api = _declare_api(settings, platform, opts)
    background = BackgroundFunctions(
        "functions", BackgroundFunctionsArgs(platform=platform, webhooks=settings.webhooks), opts
    )
    queues: Mapping[str, RequestQueues] = {}
    if settings.models:
        inside = pulumi.ResourceOptions(providers=[provider, place.provider])
        queues = _declare_models(settings, artifacts, data, place, inside)
    watched = Watched(
        settings=settings,
        custody=custody,
        api_name=api.name,
        stage_name=api.stage_name,
        sweeper_name=background.sweeper.name,
        data=data,
        queues=queues,
    )
    declare_observability(watched, opts)
    return {"api_url": _declare_front_door(settings, api, opts), **_exports(settings, data)}


def _exports(settings: StackSettings, data: KeptData) -> dict[str, pulumi.Input[str]]:
    return {
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
        "webhook_signing_secret_id": data.webhook_signing.arn,
        "signing_master_secret_id": data.access_key_master.arn,
    }


def _declare_api(
    settings: StackSettings, platform: FunctionPlatform, opts: pulumi.ResourceOptions
) -> RequestApi:
    functions = HttpFunctions(
        "functions", HttpFunctionsArgs(platform=platform, settings=settings), opts
    )
    args = RequestApiArgs(
        authorizer=functions.authorizer,
        functions={"intake": functions.intake, "status": functions.status},
        rate_per_second=settings.api.rate_per_second,
        burst=settings.api.burst,
        logs=platform.logs,
        sets_account_log_role=settings.api.sets_account_log_role,
        has_own_domain=settings.api.domain is not None,
    )
    return RequestApi("api", args, opts)


def _declare_front_door(
    settings: StackSettings, api: RequestApi, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Declare what stands before the API, and return where callers find it."""
    if rules := settings.api.firewall:
        # Imported here: WAF's module is the longest of all, and few stacks have a firewall.
        from infra.components.front_door.firewall import (  # noqa: PLC0415 - above
            Firewall,
            FirewallArgs,
        )

        firewall = FirewallArgs(settings=rules, stack=pulumi.get_stack(), stage_arn=api.stage_arn)
        Firewall("firewall", firewall, opts)
    if name := settings.api.domain:
        domain = ApiDomainArgs(settings=name, rest_api=api.rest_api, stage_name=api.stage_name)
        return ApiDomain("domain", domain, opts).url
    return api.url


def _function_platform(
    settings: StackSettings, artifacts: Artifacts, data: KeptData
) -> FunctionPlatform:
    return FunctionPlatform(
        stack=pulumi.get_stack(),
        code=LambdaCode(
            archive=pulumi.FileArchive(str(artifacts.lambda_archive())),
            runtime=artifacts.lambda_runtime,
            architecture=artifacts.lambda_architecture,
        ),
        custody=data.custody,
        logs=data.custody.logs(settings.retention.log_days),
        requests=data.requests,
        catalog=data.catalog,
        api_keys=data.api_keys,
        limits=data.limits,
        store=data.store,
        notifications=data.notifications,
        caller_places=CallerPlaces.of(settings.deployments),
        webhook_signing=data.webhook_signing,
        access_key_master=data.access_key_master,
    )


def _declare_models(
    settings: StackSettings,
    artifacts: Artifacts,
    data: KeptData,
    place: ClusterPlace,
    opts: pulumi.ResourceOptions,
) -> Mapping[str, RequestQueues]:
    """Declare all models and return the queues of their deployments."""
    images = StackImages(settings, artifacts, opts)
    platform = _worker_platform(settings, images, data, place, opts)
    queues: dict[str, RequestQueues] = {}
    for model_id, model in settings.models.items():
        args = ServedModelArgs(
            stack=pulumi.get_stack(),
            platform=platform,
            catalog=data.catalog,
            settings=model,
            chains=[chain for chain, reached in settings.chains.items() if reached == model_id],
            images={
                name: images.model_server(f"{model_id}-{name}", deployment)
                for name, deployment in model.deployments.items()
            },
        )
        queues |= ServedModel(model_id, args, opts).queues
    return queues


def _worker_platform(
    settings: StackSettings,
    images: StackImages,
    data: KeptData,
    place: ClusterPlace,
    opts: pulumi.ResourceOptions,
) -> WorkerPlatform:
    closed = worker_namespace(settings.cluster.namespace, place.surroundings)
    namespace = ClosedNamespace("workers", closed, opts)
    return WorkerPlatform(
        custody=data.custody,
        cluster_name=place.name,
        ready=[*place.ready, *namespace.ready],
        has_worker_nodes=place.has_worker_nodes,
        namespace=namespace.name,
        region=settings.region,
        variables={"AWS_REGION": settings.region, **worker_telemetry(settings)},
        dispatcher_image=images.dispatcher(),
        requests=data.requests,
        store=data.store,
        notifications=data.notifications,
    )
