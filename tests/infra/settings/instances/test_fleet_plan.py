"""Which nodes follow from which models."""

from typing import Any

import pytest

from infra.settings.cluster_settings import FleetSettings
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.fleet_plan import WorkerGroup, plan_fleet
from infra.settings.model_settings import ModelSettings

ON_DEMAND = FleetSettings(capacity=("on-demand",))


def plan(
    *instances: str, fleet: FleetSettings = ON_DEMAND, **deployment: Any
) -> tuple[WorkerGroup, ...]:
    deployments = {
        f"v{index}": {"truss": "models/m", "instance": instance, **deployment}
        for index, instance in enumerate(instances)
    }
    model = ModelSettings.checked(
        {"deployments": deployments, "environments": {"production": "v0"}}
    )
    return plan_fleet({"m": model}, fleet, Catalogue.load())


def test_deployments_on_the_same_machine_share_its_group() -> None:
    (group,) = plan("L4", "L4:4x16", autoscaling={"max_replica": 3})

    assert (group.name, group.instance_types, group.max_nodes) == (
        "l4-g6-xlarge-on-demand",
        ("g6.xlarge",),
        6,
    )


def test_another_machine_of_the_same_gpu_is_another_group() -> None:
    # The autoscaler takes all nodes of a group to be alike.
    groups = plan("L4", "L4:16x64", "CPU:4x16")

    assert [group.name for group in groups] == [
        "l4-g6-xlarge-on-demand",
        "l4-g6-4xlarge-on-demand",
        "cpu-m6i-xlarge-on-demand",
    ]


def test_each_capacity_type_is_a_group_of_its_own() -> None:
    groups = plan("L4", fleet=FleetSettings())

    assert [(g.name, g.instance_types) for g in groups] == [
        ("l4-g6-xlarge-spot", ("g6.xlarge", "g6.2xlarge")),
        ("l4-g6-xlarge-on-demand", ("g6.xlarge",)),
    ]


@pytest.mark.parametrize(("replicas", "nodes"), [(1, 1), (8, 1), (9, 2), (500, 20)])
def test_there_are_as_many_nodes_as_the_replicas_need(replicas: int, nodes: int) -> None:
    (group,) = plan("A100", autoscaling={"max_replica": replicas})

    assert group.max_nodes == nodes


def test_only_spot_nodes_of_workers_that_ask_show_them_their_metadata() -> None:
    fleet = FleetSettings()

    watched = [g.watches_spot_notice for g in plan("L4", fleet=fleet, watch_spot_notice=True)]

    assert watched == [True, False]
    assert not any(g.watches_spot_notice for g in plan("L4", fleet=fleet))


def test_names_of_groups_fit_eks_and_differ() -> None:
    names = [g.name for g in plan("RTX_PRO_6000", "A100_40GB", "B300:8", fleet=FleetSettings())]

    assert len(set(names)) == len(names) == 6
    assert max(len(f"fleet-{name}-0a1b2c3") for name in names) <= 63


def test_an_instance_that_fits_nowhere_is_named_with_its_deployment() -> None:
    with pytest.raises(ValueError, match=r"models\.m\.deployments\.v1\.instance: 'L4:200x768': no"):
        plan("L4", "L4:200x768")
