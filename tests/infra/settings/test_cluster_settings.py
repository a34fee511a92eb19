"""A cluster that is there, or one to create; what else is said is refused."""

from typing import Any

import pytest

from infra.settings.cluster_settings import ClusterSettings
from infra.settings.network_settings import NetworkSettings
from penstock.contracts.errors import SettingsError

ADMIN = "arn:aws:iam::123456789012:role/deployer"
NEW: dict[str, Any] = {"public_access_cidrs": ["198.51.100.0/24"], "admin_role_arns": [ADMIN]}


def cluster(**changes: Any) -> ClusterSettings:
    return ClusterSettings.checked({"name": "main", **changes}, root="cluster")


def test_a_new_cluster_is_cautious() -> None:
    new = cluster(create=NEW).create

    assert new is not None
    assert new.version == "1.35"
    assert new.system_nodes.model_dump() == {"instance_type": "m7g.large", "count": 2}
    assert new.fleet.model_dump() == {
        "capacity": ("spot", "on-demand"),
        "max_nodes": 20,
        "autoscaler": "cluster-autoscaler",
    }


@pytest.mark.parametrize("changes", [{}, {"kubeconfig_context": "main", "create": NEW}])
def test_a_cluster_is_either_there_or_created(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="kubeconfig_context for a cluster that is there, or"):
        cluster(**changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"public_access_cidrs": ["0.0.0.0/0"]}, "lets the Internet reach the Kubernetes API"),
        ({"public_access_cidrs": ["128.0.0.0/1"]}, "lets the Internet reach the Kubernetes API"),
        ({"public_access_cidrs": ["office"]}, "is not a network"),
        ({"public_access_cidrs": []}, "at least 1"),
        ({"admin_role_arns": []}, "at least 1"),
        ({"admin_role_arns": ["arn:aws:iam::123456789012:user/me"]}, "pattern"),
        ({"admin_role_arns": [ADMIN, ADMIN.replace("role/", "role/x/")]}, "the same name"),
        ({"version": "1.32"}, "1.33"),
        ({"fleet": {"capacity": ["spot", "spot"]}}, "twice"),
        ({"fleet": {"autoscaler": "auto"}}, "karpenter"),
        ({"system_nodes": {"instance_type": "t4g.small"}}, "m7g.large"),
        ({"system_nodes": {"count": 1}}, "2"),
    ],
)
def test_another_cluster_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        cluster(create=NEW | changes)


@pytest.mark.parametrize("missing", ["public_access_cidrs", "admin_role_arns"])
def test_who_reaches_a_new_cluster_must_be_said(missing: str) -> None:
    with pytest.raises(SettingsError, match=f"cluster.create.{missing}: missing"):
        cluster(create={key: value for key, value in NEW.items() if key != missing})


def test_a_network_comes_with_a_new_cluster_and_with_no_other() -> None:
    there, new, network = cluster(kubeconfig_context="main"), cluster(create=NEW), NetworkSettings()

    there.check_network(None)
    new.check_network(network)
    with pytest.raises(ValueError, match="leave it out"):
        there.check_network(network)
    with pytest.raises(ValueError, match="needs a network"):
        new.check_network(None)


def test_without_a_way_out_the_addons_images_need_a_place() -> None:
    private = NetworkSettings(egress="private")
    mirrored = {**NEW, "image_mirror": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mirror"}

    cluster(create=mirrored).check_network(private)
    with pytest.raises(ValueError, match="image_mirror"):
        cluster(create=NEW).check_network(private)
