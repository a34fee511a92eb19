"""How a network is laid out, and which are refused."""

from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import pytest

from infra.settings.network_settings import NetworkSettings
from penstock.contracts.errors import SettingsError


def test_a_network_spans_three_zones_and_shares_one_way_out() -> None:
    network = NetworkSettings()

    assert network.private_subnets == {
        "a": "10.40.0.0/19",
        "b": "10.40.32.0/19",
        "c": "10.40.64.0/19",
    }
    assert network.public_subnets == {
        "a": "10.40.200.0/24",
        "b": "10.40.201.0/24",
        "c": "10.40.202.0/24",
    }
    assert network.egress == "nat-single"


@pytest.mark.parametrize("cidr", ["10.40.0.0/16", "192.168.0.0/18", "10.0.16.0/20"])
def test_subnets_lie_in_the_network_and_apart(cidr: str) -> None:
    network = NetworkSettings(cidr=cidr)
    subnets = [
        IPv4Network(subnet)
        for subnet in [*network.private_subnets.values(), *network.public_subnets.values()]
    ]

    assert all(subnet.subnet_of(IPv4Network(cidr)) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))
    assert all(subnet.prefixlen <= 28 for subnet in subnets)  # AWS makes none smaller


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cidr": "10.40.0.1/16"}, "host bits"),
        ({"cidr": "8.8.0.0/16"}, "private network"),
        ({"cidr": "10.0.0.0/8"}, "between /16 and /20"),
        ({"cidr": "172.20.0.0/16"}, "Kubernetes puts its services"),
        ({"zones": ["a"]}, "at least 2"),
        ({"zones": ["a", "a"]}, "twice"),
        ({"zones": ["a", "b", "c", "d"]}, "at most 3"),
        ({"egress": "nat"}, "nat-single"),
    ],
)
def test_another_network_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        NetworkSettings.checked(changes, root="network")
