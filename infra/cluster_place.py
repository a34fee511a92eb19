"""The cluster of a stack: one that is there, or one that the stack brings up."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.components.cluster_platform import ClusterPlatform, ClusterPlatformArgs
from infra.components.compute.worker_deployment import KEDA_AUTHENTICATION
from infra.components.custody.custody import Custody
from infra.components.isolation.surroundings import Surroundings
from infra.settings.cluster_settings import NewClusterSettings
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.fleet_plan import plan_fleet
from infra.settings.network_settings import NetworkSettings
from infra.settings.stack_settings import StackSettings


@dataclass(frozen=True, kw_only=True)
class ClusterPlace:
    """Where a stack's Kubernetes objects go."""

    name: pulumi.Input[str]
    provider: k8s.Provider
    surroundings: Surroundings
    ready: Sequence[pulumi.Resource] = ()
    """What workers come after."""

    has_worker_nodes: bool = False
    """Whether there are nodes for workers alone, which each worker must ask for."""


def declare_cluster_place(
    settings: StackSettings, custody: Custody, opts: pulumi.ResourceOptions
) -> ClusterPlace:
    """Declare the cluster, or how to reach the one that is there."""
    cluster = settings.cluster
    if cluster.create and settings.network:
        args = _platform_args(settings, cluster.create, settings.network, custody)
        return _new(args, opts)
    provider = k8s.Provider(
        "cluster", context=cluster.kubeconfig_context, namespace=cluster.namespace, opts=opts
    )
    return ClusterPlace(name=cluster.name, provider=provider, surroundings=Surroundings.unknown())


def _platform_args(
    settings: StackSettings,
    new: NewClusterSettings,
    network: NetworkSettings,
    custody: Custody,
) -> ClusterPlatformArgs:
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
        longest_drain_seconds=max(drains, default=0),
        keda_authentication=KEDA_AUTHENTICATION,
        logs=custody.logs(settings.retention.log_days),
        is_protected=settings.is_protected,
        tags=settings.resource_tags,
    )


def _new(args: ClusterPlatformArgs, opts: pulumi.ResourceOptions) -> ClusterPlace:
    platform = ClusterPlatform("platform", args, opts)
    return ClusterPlace(
        name=platform.cluster_name,
        provider=platform.provider,
        surroundings=Surroundings.of(args.network),
        ready=platform.ready,
        has_worker_nodes=True,
    )
