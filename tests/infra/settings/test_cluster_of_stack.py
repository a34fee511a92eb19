"""A stack brings its cluster or creates one, and says clearly what does not go together."""

from typing import Any

import pytest

from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError

NEW: dict[str, Any] = {
    "public_access_cidrs": ["198.51.100.0/24"],
    "admin_role_arns": ["arn:aws:iam::123456789012:role/deployer"],
}


def stack(**changes: Any) -> StackSettings:
    values = {"environment": "dev", "region": "eu-west-1", "cluster": {"name": "main"}}
    return StackSettings.checked({**values, **changes})


def test_a_stack_with_a_network_creates_its_cluster() -> None:
    created = stack(network={}, cluster={"name": "main", "create": NEW})

    assert created.network is not None
    assert created.cluster.create is not None


def test_a_stack_that_brings_its_cluster_has_no_network() -> None:
    assert stack(cluster={"name": "main", "kubeconfig_context": "main"}).network is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "cluster: give kubeconfig_context for a cluster that is there, or create"),
        ({"cluster": {"name": "main", "create": NEW}}, "needs a network"),
        (
            {"network": {}, "cluster": {"name": "main", "kubeconfig_context": "main"}},
            "is for a cluster that this stack creates; leave it out",
        ),
        (
            {"network": {"egress": "private"}, "cluster": {"name": "main", "create": NEW}},
            "cluster.create.image_mirror",
        ),
        (
            {
                "environment": "local",
                "network": {},
                "cluster": {"name": "main", "create": NEW},
            },
            "a laptop has no EKS",
        ),
        (
            {
                "network": {},
                "cluster": {"name": "main", "create": NEW},
                "models": {"m": {"deployments": {"v": {"truss": "m", "instance": "L4:200x768"}}}},
            },
            "models.m.deployments.v.instance: 'L4:200x768': no machine is large enough",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        stack(**changes)


def test_the_nodes_of_a_cluster_that_is_there_are_its_owners() -> None:
    model = {"deployments": {"v": {"truss": "m", "instance": "L4:200x768"}}}

    stack(cluster={"name": "main", "kubeconfig_context": "main"}, models={"m": model})
