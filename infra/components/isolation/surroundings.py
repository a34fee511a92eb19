"""What lies around the pods of a cluster, by address: its API, and AWS."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Self

from infra.components.isolation.ways import Peer, Way, addresses
from infra.settings.network_settings import SERVICE_CIDR, NetworkSettings

_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
_LINK_LOCAL = "169.254.0.0/16"
_INTERNET: tuple[Peer, ...] = (
    {"ip_block": {"cidr": "0.0.0.0/0", "except_": [*_PRIVATE, _LINK_LOCAL]}},
    {"ip_block": {"cidr": "::/0", "except_": ["fc00::/7", "fe80::/10"]}},
)
_API_SERVICE = f"{next(IPv4Network(SERVICE_CIDR).hosts())}/32"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Addresses that network policies name."""

    control_plane: Sequence[str]
    """Where the API has its interfaces; pods have addresses there, too."""

    endpoints: Sequence[str]
    """Private addresses at which AWS answers."""

    @classmethod
    def of(cls, network: NetworkSettings) -> Self:
        """Return those in a network of the stack's own."""
        # Without a way out, AWS is reached through interfaces in the private subnets.
        subnets = tuple(network.private_subnets.values())
        return cls(control_plane=subnets, endpoints=subnets if network.egress == "private" else ())

    @classmethod
    def unknown(cls) -> Self:
        """Return those of a cluster that is there: its endpoints may be anywhere."""
        return cls(control_plane=_PRIVATE, endpoints=_PRIVATE)

    def to_aws(self) -> Way:
        """Return AWS over TLS, and all else on the Internet that weights come from.

        A network policy knows addresses alone, and those of AWS are many and change.
        """
        return Way(peers=[*_INTERNET, *addresses(*self.endpoints)], ports=[443])

    def to_api(self) -> Way:
        """Return the Kubernetes API: at its service, and at what that stands for."""
        return Way(peers=addresses(_API_SERVICE, *self.control_plane), ports=[443])

    def from_api(self, port: int) -> Way:
        """Return the Kubernetes API that calls a webhook, or an API behind it."""
        return Way(peers=addresses(*self.control_plane), ports=[port])
