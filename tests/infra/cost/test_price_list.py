"""The list of machines that people read."""

from infra.cost.price_list import PriceList
from infra.settings.instance import Instance
from infra.settings.instances.catalogue import Catalogue


def test_every_listed_name_means_a_machine_as_large() -> None:
    listed = PriceList.load().machines

    assert len(listed) > 40
    for machine in listed:
        meant = Catalogue.load().cheapest_for(Instance.parse(machine.instance))
        assert meant.name == machine.instance


def test_machines_for_the_platforms_own_pods_are_not_offered() -> None:
    assert not any(m.machine.startswith("m7g.") for m in PriceList.load().machines)
