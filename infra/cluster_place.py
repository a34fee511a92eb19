"""The cluster of a stack: one that is there, or one that the stack brings up."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.components.custody.custody import Custody
from infra.components.isolation.surroundings import Surroundings
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
        # Imported here: it takes half of all time that providers take to import, and few need it.
        from infra.new_cluster import declare_new_cluster, platform_args  # noqa: PLC0415 - above

        args = platform_args(settings, cluster.create, settings.network, custody)
        return declare_new_cluster(args, opts)
    provider = k8s.Provider(
        "cluster",
        context=cluster.kubeconfig_context,
        namespace=cluster.namespace,
        enable_config_map_mutable=True,  # otherwise it would delete one that changes
        opts=opts,
    )
    return ClusterPlace(name=cluster.name, provider=provider, surroundings=Surroundings.unknown())
