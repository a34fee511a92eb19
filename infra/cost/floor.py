"""What a stack costs each month before the first request."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from infra.components.nodes.root_volume import SYSTEM_VOLUME
from infra.components.observability.deployment_alarms import METRICS_OF_A_DEPLOYMENT
from infra.components.observability.stack_alarms import METRICS_OF_A_STACK
from infra.cost.charges import HOURS_PER_MONTH, Charges
from infra.settings.cluster_settings import NewClusterSettings
from infra.settings.instances.catalogue import Catalogue
from infra.settings.network_settings import INTERFACE_SERVICES, NetworkSettings
from infra.settings.observability_settings import ObservabilitySettings

QUEUES_PER_DEPLOYMENT = 3
SECRETS = 2
"""With what webhooks are signed, and what access keys come from."""

FIREWALL_RULES = 4
"""Managed groups of rules, and the one that counts calls."""

_POLL_SECONDS = 10
"""How often KEDA asks each queue for its depth."""


class LineItem(BaseModel):
    """One thing that is paid for by the month."""

    model_config = ConfigDict(frozen=True)

    item: str
    quantity: float
    usd_per_month: float


def cluster_items(
    settings: NewClusterSettings, charges: Charges, catalogue: Catalogue
) -> Iterator[LineItem]:
    """Yield what a cluster costs that has no worker."""
    nodes = settings.system_nodes
    machine = catalogue.host(nodes.instance_type).on_demand_usd or 0
    yield _hourly("EKS control plane", 1, charges.eks_cluster_hour)
    yield _hourly(f"system nodes, {nodes.instance_type}", nodes.count, machine)
    yield _hourly("disks of the system nodes", nodes.count, charges.disk_hour(SYSTEM_VOLUME))
    yield _monthly("key of the cluster's secrets", 1, charges.key_month)


def network_items(settings: NetworkSettings, charges: Charges) -> Iterator[LineItem]:
    """Yield what a network costs through which nothing flows."""
    zones = len(settings.zones)
    if settings.egress == "private":
        count = zones * len(INTERFACE_SERVICES)
        yield _hourly("interface endpoints, by zone", count, charges.interface_endpoint_hour)
        return
    gateways = zones if settings.egress == "nat-per-az" else 1
    yield _hourly("NAT gateways", gateways, charges.nat_gateway_hour)
    yield _hourly("public addresses of the NAT gateways", gateways, charges.public_address_hour)


def pipeline_items(deployments: int, charges: Charges) -> Iterator[LineItem]:
    """Yield what secrets cost, and queues that nothing goes through: KEDA asks for their depth."""
    yield _monthly("secrets", SECRETS, charges.secret_month)
    queues = QUEUES_PER_DEPLOYMENT * deployments
    calls = queues * HOURS_PER_MONTH * 3_600 / _POLL_SECONDS
    cost = calls / 1_000_000 * charges.sqs_million_calls
    yield LineItem(item="KEDA asking the request queues", quantity=queues, usd_per_month=cost)


def key_items(charges: Charges) -> Iterator[LineItem]:
    """Yield what a key of the data costs that is not turned yet."""
    yield _monthly("key of the data", 1, charges.key_month)


def firewall_items(charges: Charges) -> Iterator[LineItem]:
    """Yield what a firewall costs that looks at no call."""
    yield _monthly("firewall", 1, charges.firewall_month)
    yield _monthly("rules of the firewall", FIREWALL_RULES, charges.firewall_rule_month)


def observability_items(
    settings: ObservabilitySettings, deployments: int, charges: Charges
) -> Iterator[LineItem]:
    """Yield what alarms and a dashboard cost; three dashboards of an account are free."""
    watched = deployments if settings.alarms.watch_deployments else 0
    metrics = METRICS_OF_A_STACK + METRICS_OF_A_DEPLOYMENT * watched
    yield _monthly("metrics that alarms look at", metrics, charges.alarm_metric_month)
    if settings.dashboard:
        yield _monthly("dashboard, unless among the first three", 1, charges.dashboard_month)


def kept_replicas(deployment_id: str, replicas: int, usd_per_hour: float) -> LineItem:
    """Return what replicas cost that never go."""
    return _hourly(f"replicas that {deployment_id} keeps", replicas, usd_per_hour)


def _hourly(item: str, quantity: float, usd: float) -> LineItem:
    return _monthly(item, quantity, usd * HOURS_PER_MONTH)


def _monthly(item: str, quantity: float, usd: float) -> LineItem:
    return LineItem(item=item, quantity=quantity, usd_per_month=quantity * usd)
