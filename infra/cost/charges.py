"""What AWS asks for everything but machines, from `charges.json`."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from infra.components.nodes.root_volume import RootVolume
from infra.settings.instances.host import Host

HOURS_PER_MONTH = 730
_FILE = Path(__file__).with_name("charges.json")


class Charges(BaseModel):
    """Prices in US dollars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str
    as_of: date
    source: str
    eks_cluster_hour: float
    nat_gateway_hour: float
    public_address_hour: float
    interface_endpoint_hour: float
    """For each zone."""

    gp3_gib_month: float
    gp3_iops_month: float
    """For each above those that come with the volume."""

    gp3_mib_per_second_month: float
    """For each above those that come with the volume."""

    key_month: float
    secret_month: float
    alarm_metric_month: float
    """For each metric that an alarm looks at."""

    dashboard_month: float
    sqs_million_calls: float
    firewall_month: float
    firewall_rule_month: float

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return what is asked."""
        return cls.model_validate_json(_FILE.read_bytes())

    def disk_hour(self, volume: RootVolume) -> float:
        """Return what a node's disk costs while the node is there."""
        free = RootVolume(gib=0)
        month = (
            volume.gib * self.gp3_gib_month
            + (volume.iops - free.iops) * self.gp3_iops_month
            + (volume.mib_per_second - free.mib_per_second) * self.gp3_mib_per_second_month
        )
        return month / HOURS_PER_MONTH


_SPOT_SHARE = 0.45
"""Of the on-demand price, what machines with one GPU of the g families cost on spot."""


def spot_hour(host: Host) -> float | None:
    """Return what a machine costs on spot: as it was seen once, else by rule, else unknown."""
    if host.spot_usd:
        return round(sum(host.spot_usd) / len(host.spot_usd), 4)
    if host.on_demand_usd and host.gpu_count == 1 and host.type.startswith("g"):
        return round(_SPOT_SHARE * host.on_demand_usd, 4)
    return None
