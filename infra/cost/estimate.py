"""What a stack costs: each month, by the hour of a replica, and by the request."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from infra.components.nodes.root_volume import WORKER_VOLUME
from infra.cost.charges import Charges, spot_hour
from infra.cost.floor import (
    LineItem,
    cluster_items,
    firewall_items,
    kept_replicas,
    key_items,
    network_items,
    observability_items,
    pipeline_items,
)
from infra.settings.cluster_settings import Capacity, FleetSettings
from infra.settings.instance import Instance
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.host import Host
from infra.settings.model_settings import DeploymentSettings
from infra.settings.stack_settings import StackSettings

_THOUSAND_SECONDS_IN_HOURS = 1_000 / 3_600


class DeploymentCost(BaseModel):
    """What a deployment costs while it works; on a machine that is full of its like."""

    model_config = ConfigDict(frozen=True)

    deployment: str
    instance: str
    machine: str
    replicas_per_machine: int
    capacity: str
    usd_per_replica_hour: float | None
    usd_per_gpu_hour: float | None
    usd_per_1000_requests: float | None
    """`None` where no service time or no price is known."""


class Estimate(BaseModel):
    """Prices are those of one region and day; what flows is not in them."""

    model_config = ConfigDict(frozen=True)

    region: str
    prices_of_region: str
    prices_as_of: date
    service_seconds: float | None
    floor: tuple[LineItem, ...]
    floor_usd_per_month: float
    deployments: tuple[DeploymentCost, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Prices:
    charges: Charges
    catalogue: Catalogue

    def of_replica(self, deployment: DeploymentSettings, capacity: Capacity) -> float | None:
        """Return what a replica costs by the hour; `None` where no price is known."""
        host = self.machine(deployment)
        machine = host.on_demand_usd if capacity == "on-demand" else spot_hour(host)
        if machine is None:
            return None
        disk = self.charges.disk_hour(WORKER_VOLUME)
        return (machine + disk) / host.pods_of(Instance.parse(deployment.instance))

    def machine(self, deployment: DeploymentSettings) -> Host:
        return self.catalogue.cheapest_for(Instance.parse(deployment.instance))


def estimate(settings: StackSettings, service_seconds: float | None = None) -> Estimate:
    """Return what a stack costs, with requests that take `service_seconds` each.

    Raises:
        ValueError: an instance fits on no machine.
    """
    prices = _Prices(Charges.load(), Catalogue.load())
    floor = tuple(_floor(settings, prices))
    return Estimate(
        region=settings.region,
        prices_of_region=prices.catalogue.region,
        prices_as_of=prices.catalogue.as_of,
        service_seconds=service_seconds,
        floor=floor,
        floor_usd_per_month=sum(item.usd_per_month for item in floor),
        deployments=tuple(
            _cost(deployment_id, deployment, capacity, prices, service_seconds)
            for deployment_id, deployment in _named_deployments(settings)
            for capacity in _capacity(settings)
        ),
        notes=tuple(_notes(settings, prices)),
    )


def _named_deployments(settings: StackSettings) -> Iterator[tuple[str, DeploymentSettings]]:
    for model_id, model in settings.models.items():
        for name, deployment in model.deployments.items():
            yield f"{model_id}-{name}", deployment


def _capacity(settings: StackSettings) -> tuple[Capacity, ...]:
    create = settings.cluster.create
    return (create.fleet if create else FleetSettings()).capacity


def _floor(settings: StackSettings, prices: _Prices) -> Iterator[LineItem]:
    if settings.cluster.create:
        yield from cluster_items(settings.cluster.create, prices.charges, prices.catalogue)
    if settings.network:
        yield from network_items(settings.network, prices.charges)
    if settings.has_own_key:
        yield from key_items(prices.charges)
    if settings.api.firewall:
        yield from firewall_items(prices.charges)
    named = dict(_named_deployments(settings))
    yield from pipeline_items(len(named), prices.charges)
    yield from observability_items(settings.observability, len(named), prices.charges)
    for deployment_id, deployment in named.items():
        if replicas := deployment.autoscaling.min_replica:
            # Spot may not be to be had, and its price not known: what never goes is planned with
            # the dearer one.
            hour = prices.of_replica(deployment, "on-demand")
            if hour is not None:
                yield kept_replicas(deployment_id, replicas, hour)


def _cost(
    deployment_id: str,
    deployment: DeploymentSettings,
    capacity: Capacity,
    prices: _Prices,
    service_seconds: float | None,
) -> DeploymentCost:
    instance, host = Instance.parse(deployment.instance), prices.machine(deployment)
    hour = prices.of_replica(deployment, capacity)
    hours_of_1000 = (
        service_seconds * _THOUSAND_SECONDS_IN_HOURS / deployment.autoscaling.concurrency_target
        if service_seconds is not None
        else None
    )
    return DeploymentCost(
        deployment=deployment_id,
        instance=deployment.instance,
        machine=host.type,
        replicas_per_machine=host.pods_of(instance),
        capacity=capacity,
        usd_per_replica_hour=hour,
        usd_per_gpu_hour=_times(hour, 1 / instance.gpu_count if instance.gpu else None),
        usd_per_1000_requests=_times(hour, hours_of_1000),
    )


def _times(value: float | None, factor: float | None) -> float | None:
    return None if value is None or factor is None else value * factor


def _notes(settings: StackSettings, prices: _Prices) -> Iterator[str]:
    catalogue = prices.catalogue
    yield f"machines: {catalogue.source}"
    yield f"spot: {catalogue.spot_source}; else 45 % of on-demand for one GPU of the g families"
    yield f"all else: {prices.charges.source}"
    yield "not in it: what is paid by use (calls, traffic, logs), nodes that start or idle"
    for deployment_id, deployment in _named_deployments(settings):
        machine = prices.machine(deployment)
        if deployment.autoscaling.min_replica and machine.on_demand_usd is None:
            yield f"{deployment_id} keeps {machine.type}, whose price is not known: not in it"
    if settings.region != catalogue.region:
        yield f"{settings.region} has other prices than {catalogue.region}"
    if settings.cluster.create is None:
        yield "the cluster is there already: not in the floor, and its nodes may be others"
