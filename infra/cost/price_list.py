"""The machines as people read them."""

from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict

from infra.cost.charges import spot_hour
from infra.settings.instances.catalogue import Catalogue


class PricedMachine(BaseModel):
    """One machine; the whole of it, as an instance name."""

    model_config = ConfigDict(frozen=True)

    instance: str
    machine: str
    gpu_memory_gib: int | None
    nvme_gb: int
    usd_per_hour: float | None
    spot_usd_per_hour: float | None
    """As planned with: what was seen once, or a rule."""


class PriceList(BaseModel):
    """What workers can run on."""

    model_config = ConfigDict(frozen=True)

    region: str
    as_of: date
    source: str
    spot_source: str
    machines: tuple[PricedMachine, ...]

    @classmethod
    def load(cls) -> Self:
        """Return all of them."""
        catalogue = Catalogue.load()
        return cls(
            region=catalogue.region,
            as_of=catalogue.as_of,
            source=catalogue.source,
            spot_source=catalogue.spot_source,
            machines=tuple(
                PricedMachine(
                    instance=host.name,
                    machine=host.type,
                    gpu_memory_gib=host.gpu_memory_gib,
                    nvme_gb=host.nvme_gb,
                    usd_per_hour=host.on_demand_usd,
                    spot_usd_per_hour=spot_hour(host),
                )
                for host in catalogue.hosts
                if host.architecture == "x86_64"
            ),
        )
