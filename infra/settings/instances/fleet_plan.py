"""Which groups of nodes the models of a stack need."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from infra.settings.cluster_settings import Capacity, FleetSettings
from infra.settings.instance import Instance
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.host import Host
from infra.settings.model_settings import DeploymentSettings, ModelSettings


@dataclass(frozen=True, kw_only=True)
class WorkerGroup:
    """Nodes of one kind: from none to `max_nodes`."""

    host: Host
    capacity: Capacity
    instance_types: tuple[str, ...]
    """What EC2 may give, the one that is planned with first."""

    max_nodes: int
    watches_spot_notice: bool
    """Whether a worker on it asks the instance metadata, from inside its pod."""

    @property
    def name(self) -> str:
        """A name that no other group has: `l4-g6-xlarge-spot`."""
        kind = (self.host.gpu or "cpu").lower().replace("_", "-")
        return f"{kind}-{self.host.type.replace('.', '-')}-{self.capacity}"


def plan_fleet(
    models: Mapping[str, ModelSettings], fleet: FleetSettings, catalogue: Catalogue
) -> tuple[WorkerGroup, ...]:
    """Return a group for each machine that a deployment needs and each capacity type.

    Raises:
        ValueError: an instance fits on no machine; the text says whose and what there is.
    """
    needs: defaultdict[Host, list[DeploymentSettings]] = defaultdict(list)
    for model_id, model in models.items():
        for name, deployment in model.deployments.items():
            try:
                host = catalogue.cheapest_for(Instance.parse(deployment.instance))
            except ValueError as error:
                where = f"models.{model_id}.deployments.{name}.instance"
                raise ValueError(f"{where}: {deployment.instance!r}: {error}") from error
            needs[host].append(deployment)
    return tuple(
        WorkerGroup(
            host=host,
            capacity=capacity,
            instance_types=catalogue.spot_types(host) if capacity == "spot" else (host.type,),
            max_nodes=min(fleet.max_nodes, _nodes(host, deployments)),
            watches_spot_notice=capacity == "spot"
            and any(deployment.watch_spot_notice for deployment in deployments),
        )
        for host, deployments in needs.items()
        for capacity in fleet.capacity
    )


def _nodes(host: Host, deployments: list[DeploymentSettings]) -> int:
    shares = (
        d.autoscaling.max_replica / host.pods_of(Instance.parse(d.instance)) for d in deployments
    )
    return ceil(sum(shares))
