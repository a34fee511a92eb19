"""The list of machines that people read."""

import pytest

from infra.artifacts.workspace import ROOT
from infra.cost.estimate import estimate
from infra.cost.price_list import PriceList
from infra.settings.instance import Instance
from infra.settings.instances.catalogue import Catalogue
from infra.settings.stack_settings import StackSettings


def test_every_listed_name_means_a_machine_as_large() -> None:
    listed = PriceList.load().machines

    assert len(listed) > 40
    for machine in listed:
        meant = Catalogue.load().cheapest_for(Instance.parse(machine.instance))
        assert meant.name == machine.instance


def test_machines_for_the_platforms_own_pods_are_not_offered() -> None:
    assert not any(m.machine.startswith("m7g.") for m in PriceList.load().machines)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_what_an_example_runs_on_is_listed_with_a_price(name: str) -> None:
    settings = StackSettings.read(ROOT / f"Pulumi.{name}.yaml.example")
    listed = {machine.machine: machine for machine in PriceList.load().machines}

    for cost in estimate(settings, service_seconds=1).deployments:
        assert listed[cost.machine].usd_per_hour
        if cost.capacity == "on-demand":
            assert cost.usd_per_1000_requests
