"""Everything between an empty account and a cluster that workers can be put into."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.components.cluster.cluster import Cluster, ClusterArgs
from infra.components.custody.custody import Custody
from infra.components.custody.log_keeping import LogKeeping
from infra.components.fleet.cluster_autoscaler import ClusterAutoscaler, ClusterAutoscalerArgs
from infra.components.fleet.karpenter import Karpenter, KarpenterArgs
from infra.components.fleet.managed_fleet import ManagedFleet, ManagedFleetArgs
from infra.components.isolation.surroundings import Surroundings
from infra.components.network.network import Network, NetworkArgs
from infra.components.observability.collector.collector import Collector, CollectorArgs
from infra.components.operators.chart import OperatorPlace
from infra.components.operators.gpu_support import GpuSupport
from infra.components.operators.keda import Keda, KedaArgs
from infra.settings.cluster_settings import NewClusterSettings
from infra.settings.instances.fleet_plan import WorkerGroup
from infra.settings.network_settings import NetworkSettings

_SHUTDOWN_SECONDS = 60
"""Between the end of a drain and that of its pod, and some for the node."""


@dataclass(frozen=True, kw_only=True)
class ClusterPlatformArgs:
    """What the platform needs to know."""

    stack: str
    custody: Custody
    region: str
    cluster_name: str
    namespace: str
    settings: NewClusterSettings
    network: NetworkSettings
    groups: tuple[WorkerGroup, ...]
    """The nodes that the stack's models need."""

    brings_metrics: bool = False
    """Of workers, to CloudWatch."""

    brings_traces: bool = False
    """Of workers, to X-Ray."""

    longest_drain_seconds: int
    keda_authentication: str
    logs: LogKeeping
    is_protected: bool
    tags: Mapping[str, str]
    """Put on machines and disks: the provider's own tags do not reach them."""


class ClusterPlatform(pulumi.ComponentResource):
    """A network, a cluster in it, nodes for the workers and what sizes them."""

    network: Network
    cluster: Cluster
    cluster_name: pulumi.Output[str]
    provider: k8s.Provider
    """For every Kubernetes object of the stack."""

    ready: list[pulumi.Resource]
    """What workers wait for: nodes, names, KEDA and, if any has a GPU, what makes it known."""

    def __init__(
        self, name: str, args: ClusterPlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:ClusterPlatform", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._account_id = args.custody.account_id
        self.network = self._declare_network()
        self.cluster = self._declare_cluster()
        self.cluster_name, self.provider = self.cluster.name, self.cluster.provider
        # From here on every child may declare Kubernetes objects.
        self._inside = pulumi.ResourceOptions(parent=self, providers=[self.provider])
        self._place = OperatorPlace(
            cluster_name=self.cluster_name,
            region=args.region,
            account_id=self._account_id,
            surroundings=Surroundings.of(args.network),
            image_mirror=args.settings.image_mirror,
            ready=self.cluster.ready,
        )
        self.ready = [*self.cluster.ready, self._declare_keda().ready]
        if any(group.host.gpu for group in args.groups):
            self.ready += GpuSupport(f"{name}-gpus", self._place, self._inside).ready
        if args.brings_metrics:
            self._declare_collector()
        if args.settings.fleet.autoscaler == "karpenter":
            self._declare_karpenter()
        else:
            self._declare_managed_fleet()
        self.register_outputs({"cluster_name": self.cluster_name})

    def _declare_network(self) -> Network:
        network = NetworkArgs(
            settings=self._args.network,
            region=self._args.region,
            account_id=self._account_id,
            logs=self._args.logs,
        )
        return Network(f"{self._name}-network", network, self._child)

    def _declare_cluster(self) -> Cluster:
        args = self._args
        cluster = ClusterArgs(
            cluster_name=args.cluster_name,
            settings=args.settings,
            namespace=args.namespace,
            region=args.region,
            account_id=self._account_id,
            network=self.network,
            logs=args.logs,
            is_protected=args.is_protected,
            tags=args.tags,
        )
        return Cluster(f"{self._name}-cluster", cluster, self._child)

    def _declare_keda(self) -> Keda:
        keda = KedaArgs(
            place=self._place,
            custody=self._args.custody,
            stack=self._args.stack,
            authentication=self._args.keda_authentication,
        )
        return Keda(f"{self._name}-keda", keda, self._inside)

    def _declare_collector(self) -> None:
        args = self._args
        collector = CollectorArgs(
            place=self._place,
            stack=args.stack,
            namespace=args.namespace,
            logs=args.logs,
            brings_traces=args.brings_traces,
        )
        Collector(f"{self._name}-collector", collector, self._inside)

    def _declare_managed_fleet(self) -> None:
        args = self._args
        fleet = ManagedFleetArgs(
            cluster_name=args.cluster_name, place=self.cluster.place, groups=args.groups
        )
        ManagedFleet(f"{self._name}-fleet", fleet, self._child)
        autoscaler = ClusterAutoscalerArgs(
            place=self._place,
            cluster_name=args.cluster_name,
            version=args.settings.version,
            capacity=args.settings.fleet.capacity,
            grace_seconds=args.longest_drain_seconds + _SHUTDOWN_SECONDS,
        )
        ClusterAutoscaler(f"{self._name}-autoscaler", autoscaler, self._inside)

    def _declare_karpenter(self) -> None:
        args = self._args
        karpenter = KarpenterArgs(
            place=self._place,
            custody=args.custody,
            cluster_name=args.cluster_name,
            node_role=self.cluster.node_role,
            subnet_ids=self.network.private_subnet_ids,
            security_group_id=self.cluster.control_plane.security_group_id,
            groups=args.groups,
            is_isolated=args.network.egress == "private",
            tags=args.tags,
        )
        Karpenter(f"{self._name}-karpenter", karpenter, self._inside)
