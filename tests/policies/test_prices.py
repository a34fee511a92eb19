"""The pack's prices are those that stacks are planned with."""

import json
from pathlib import Path
from typing import Any

from policies.guardrails.cluster.nodes import machines_are_chosen
from tests.policies.cases.case import resource
from tests.policies.servicer import Pack

ROOT = Path(__file__).parents[2]
HOSTS = ROOT / "infra" / "settings" / "instances" / "hosts.json"
PRICES = ROOT / "policies" / "data" / "prices.json"


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_pack_knows_every_machine_as_the_program_does() -> None:
    prices, hosts = _read(PRICES), _read(HOSTS)
    keys = {"vcpu": "vcpu", "gpu": "gpu", "gpu_count": "gpu_count", "usd_per_hour": "on_demand_usd"}

    assert prices["instances"] == {
        host["type"]: {key: host[theirs] for key, theirs in keys.items() if theirs in host}
        for host in hosts["hosts"]
    }
    assert all(prices[key] == hosts[key] for key in ("source", "as_of", "region"))


def test_every_machine_of_the_program_is_allowed() -> None:
    kinds = [host["type"] for host in _read(HOSTS)["hosts"]]
    group = resource("eks/nodeGroup", "workers", instanceTypes=kinds)

    assert Pack([machines_are_chosen]).findings([group]) == []
