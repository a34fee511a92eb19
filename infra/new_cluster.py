"""A cluster that a stack brings up."""

import pulumi

from infra.cluster_place import ClusterPlace
from infra.components.cluster_platform import ClusterPlatform, ClusterPlatformArgs
from infra.components.compute.worker_deployment import KEDA_AUTHENTICATION
from infra.components.custody.custody import Custody
from infra.components.isolation.surroundings import Surroundings
from infra.settings.cluster_settings import NewClusterSettings
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.fleet_plan import plan_fleet
from infra.settings.network_settings import NetworkSettings
from infra.settings.stack_settings import StackSettings


def platform_args(
    settings: StackSettings,
    new: NewClusterSettings,
    network: NetworkSettings,
    custody: Custody,
) -> ClusterPlatformArgs:
    """Return what the cluster of a stack needs to know."""
    drains = [
        deployment.drain_seconds
        for model in settings.models.values()
        for deployment in model.deployments.values()
    ]
    return ClusterPlatformArgs(
        stack=pulumi.get_stack(),
        custody=custody,
        region=settings.region,
        cluster_name=settings.cluster.name,
        namespace=settings.cluster.namespace,
        settings=new,
        network=network,
        groups=plan_fleet(settings.models, new.fleet, Catalogue.load()),
        brings_metrics=settings.has_collector,
        brings_traces=settings.brings_traces,
        longest_drain_seconds=max(drains, default=0),
        keda_authentication=KEDA_AUTHENTICATION,
        logs=custody.logs(settings.retention.log_days),
        is_protected=settings.is_protected,
        tags=settings.resource_tags,
    )


def declare_new_cluster(args: ClusterPlatformArgs, opts: pulumi.ResourceOptions) -> ClusterPlace:
    """Declare the cluster with all that it needs."""
    platform = ClusterPlatform("platform", args, opts)
    return ClusterPlace(
        name=platform.cluster_name,
        provider=platform.provider,
        surroundings=Surroundings.of(args.network),
        ready=platform.ready,
        has_worker_nodes=True,
    )
