"""The machines with their prices, from `hosts.json`, and the choice among them."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from infra.settings.instance import Instance
from infra.settings.instances.host import Host

_FILE = Path(__file__).with_name("hosts.json")
_SPOT_SURCHARGE = 1.3
_SPOT_TYPES = 3


class Catalogue(BaseModel):
    """All machines that are offered. Prices are of one region and one day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str
    operating_system: str
    as_of: date
    source: str
    spot_source: str
    hosts: tuple[Host, ...]

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return what is offered."""
        return cls.model_validate_json(_FILE.read_bytes())

    def host(self, instance_type: str) -> Host:
        """Return the machine of this EC2 type."""
        return next(host for host in self.hosts if host.type == instance_type)

    def cheapest_for(self, instance: Instance) -> Host:
        """Return the cheapest machine that a pod of this instance fits on.

        Raises:
            ValueError: there is none; the text says what there is.
        """
        fitting = [host for host in self._workers(instance.gpu) if host.pods_of(instance)]
        if not fitting:
            there_is = ", ".join(dict.fromkeys(h.name for h in self._workers(instance.gpu)))
            raise ValueError(f"no machine is large enough; there are {there_is}")
        return min(fitting, key=_price)

    def spot_types(self, host: Host) -> tuple[str, ...]:
        """Return `host` and what may stand in for it: EC2 reclaims less of a wider choice.

        The others have as many GPUs of the same kind, are no smaller and little dearer.
        """
        if host.on_demand_usd is None:
            return (host.type,)
        limit = host.on_demand_usd * _SPOT_SURCHARGE
        others = [
            other
            for other in self._workers(host.gpu)
            if other != host
            and other.gpu_count == host.gpu_count
            and other.vcpu >= host.vcpu
            and other.memory_gib >= host.memory_gib
            and _price(other)[1] <= limit
        ]
        return tuple(h.type for h in [host, *sorted(others, key=_price)][:_SPOT_TYPES])

    def _workers(self, gpu: str | None) -> list[Host]:
        return [h for h in self.hosts if h.gpu == gpu and h.architecture == "x86_64"]


def _price(host: Host) -> tuple[bool, float, int]:
    unknown = host.on_demand_usd is None
    return unknown, host.on_demand_usd or float("inf"), host.vcpu
