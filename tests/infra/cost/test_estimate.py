"""What a stack costs, worked out by hand."""

from typing import Any

import pytest

from infra.components.nodes.root_volume import WORKER_VOLUME, RootVolume
from infra.cost.charges import Charges, spot_hour
from infra.cost.estimate import Estimate, estimate
from infra.cost.floor import SECRETS
from infra.settings.instances.catalogue import Catalogue
from infra.settings.stack_settings import StackSettings
from tests.infra.recording import Declared

NEW: dict[str, Any] = {
    "public_access_cidrs": ["198.51.100.0/24"],
    "admin_role_arns": ["arn:aws:iam::123456789012:role/deployer"],
}


def stack(network: dict[str, Any] | None = None, **deployment: Any) -> StackSettings:
    given = {"truss": "models/m", "instance": "L4", **deployment}
    there: dict[str, Any] = {"kubeconfig_context": "main"}
    made: dict[str, Any] = {"create": NEW}
    values: dict[str, Any] = {
        "environment": "dev",
        "region": "us-east-1",
        "cluster": {"name": "main", **(there if network is None else made)},
        "models": {"m": {"deployments": {"v1": given}}},
    }
    return StackSettings.checked(values if network is None else {**values, "network": network})


def floor(found: Estimate) -> dict[str, float]:
    return {item.item: round(item.usd_per_month, 2) for item in found.floor}


def test_a_small_environment_costs_this_before_its_first_request() -> None:
    found = estimate(stack({}))

    assert floor(found) == {
        "EKS control plane": 73.0,
        "system nodes, m7g.large": 119.14,
        "disks of the system nodes": 8.0,
        "key of the cluster's secrets": 1.0,
        "NAT gateways": 32.85,
        "public addresses of the NAT gateways": 3.65,
        "secrets": 0.8,
        "KEDA asking the request queues": 0.32,
        "metrics that alarms look at": 2.4,
        "dashboard, unless among the first three": 3.0,
    }
    assert found.floor_usd_per_month == pytest.approx(244.15, abs=0.02)


@pytest.mark.parametrize(
    ("network", "item", "usd"),
    [
        ({"egress": "nat-per-az"}, "NAT gateways", 98.55),
        ({"egress": "nat-per-az", "zones": ["a", "b"]}, "NAT gateways", 65.7),
    ],
)
def test_a_gateway_per_zone_is_paid_per_zone(
    network: dict[str, Any], item: str, usd: float
) -> None:
    assert floor(estimate(stack(network)))[item] == usd


def test_privacy_is_paid_by_the_interface() -> None:
    new = {**NEW, "image_mirror": "registry.example/mirror"}
    values = stack({}).model_dump(mode="json")
    values["network"]["egress"] = "private"
    values["cluster"]["create"] = new

    items = floor(estimate(StackSettings.checked(values)))

    assert "NAT gateways" not in items
    assert items["interface endpoints, by zone"] == pytest.approx(14 * 3 * 7.3)


def test_a_cluster_that_is_there_is_not_paid_for_again() -> None:
    found = estimate(stack())

    assert set(floor(found)) == {
        "KEDA asking the request queues",
        "secrets",
        "metrics that alarms look at",
        "dashboard, unless among the first three",
    }
    assert any("the cluster is there already" in note for note in found.notes)


def test_a_key_of_the_data_is_paid_for_where_there_is_one() -> None:
    kept = stack().model_copy(update={"environment": "production"})

    assert floor(estimate(kept))["key of the data"] == 1.0
    assert "key of the data" not in floor(estimate(stack()))


def test_alarms_and_dashboard_cost_nothing_where_there_are_none() -> None:
    quiet = {"dashboard": False, "alarms": {"watch_deployments": False}}
    values = stack().model_dump(mode="json") | {"observability": quiet}

    items = floor(estimate(StackSettings.checked(values)))

    assert items["metrics that alarms look at"] == 0.8
    assert "dashboard, unless among the first three" not in items


def test_replicas_that_never_go_are_part_of_the_floor() -> None:
    found = estimate(stack({}, autoscaling={"min_replica": 2, "max_replica": 4}))
    disk = Charges.load().disk_hour(WORKER_VOLUME)

    kept = floor(found)["replicas that m-v1 keeps"]
    assert kept == pytest.approx(2 * 730 * (0.8048 + disk), abs=0.01)


def test_kept_replicas_on_spot_are_planned_as_if_there_were_none() -> None:
    values = stack({}, instance="CPU:4x16", autoscaling={"min_replica": 1}).model_dump(mode="json")
    values["cluster"]["create"]["fleet"]["capacity"] = ["spot"]

    items = floor(estimate(StackSettings.checked(values)))

    disk = Charges.load().disk_hour(WORKER_VOLUME)
    assert items["replicas that m-v1 keeps"] == pytest.approx(730 * (0.192 + disk), abs=0.01)


def test_a_kept_replica_without_a_price_is_told() -> None:
    found = estimate(stack({}, instance="B300", autoscaling={"min_replica": 1}))

    assert "replicas that m-v1 keeps" not in floor(found)
    assert "m-v1 keeps p6-b300.48xlarge, whose price is not known: not in it" in found.notes


def test_a_firewall_is_paid_for_with_its_rules() -> None:
    values = stack({}).model_dump(mode="json")
    values["api"]["firewall"] = {}

    items = floor(estimate(StackSettings.checked(values)))

    assert items["firewall"] + items["rules of the firewall"] == 9.0


def test_a_disk_is_paid_for_beyond_what_comes_with_it() -> None:
    charges = Charges.load()

    assert charges.disk_hour(WORKER_VOLUME) * 730 == pytest.approx(100 * 0.08)
    fast = RootVolume(gib=200, iops=6_000, mib_per_second=600)
    assert charges.disk_hour(fast) * 730 == pytest.approx(200 * 0.08 + 3_000 * 0.005 + 475 * 0.04)


def test_a_request_costs_its_share_of_a_replicas_hour() -> None:
    deployment = stack({}, autoscaling={"concurrency_target": 4})

    spot, on_demand = estimate(deployment, service_seconds=9).deployments

    hour = 0.8048 + 8 / 730
    assert on_demand.usd_per_replica_hour == pytest.approx(hour)
    assert on_demand.usd_per_gpu_hour == pytest.approx(hour)
    assert on_demand.usd_per_1000_requests == pytest.approx(hour * 9_000 / 3_600 / 4)
    assert spot.usd_per_replica_hour == pytest.approx(0.42 + 8 / 730)


def test_replicas_share_a_large_machine() -> None:
    _, found = estimate(stack({}, instance="A100:2")).deployments

    assert (found.machine, found.replicas_per_machine) == ("p4de.24xlarge", 4)
    assert found.usd_per_replica_hour == pytest.approx((27.44705 + 8 / 730) / 4)
    assert found.usd_per_gpu_hour == pytest.approx((27.44705 + 8 / 730) / 8)
    assert found.usd_per_1000_requests is None


def test_a_price_that_nobody_knows_is_not_made_up() -> None:
    for found in estimate(stack({}, instance="B300"), service_seconds=1).deployments:
        assert found.usd_per_replica_hour is None
        assert found.usd_per_gpu_hour is None
        assert found.usd_per_1000_requests is None


@pytest.mark.parametrize(
    ("machine", "usd"),
    [
        ("g6.xlarge", 0.42),
        ("g6.2xlarge", 0.4399),
        ("g6.12xlarge", None),
        ("p5.4xlarge", None),
    ],
)
def test_spot_is_estimated_where_that_makes_sense(machine: str, usd: float | None) -> None:
    assert spot_hour(Catalogue.load().host(machine)) == pytest.approx(usd)


def test_another_regions_prices_are_said_to_be_others() -> None:
    values = {**stack({}).model_dump(mode="json"), "region": "eu-west-1"}
    values["cluster"].pop("kubeconfig_context")

    notes = estimate(StackSettings.checked(values)).notes

    assert "eu-west-1 has other prices than us-east-1" in notes


def test_as_many_secrets_are_paid_for_as_there_are(stack: Declared) -> None:
    assert len(stack.of_type("secretsmanager/secret:Secret")) == SECRETS
