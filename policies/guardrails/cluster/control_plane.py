"""The cluster's control plane: closed, encrypted, logged, current."""

import re
from collections.abc import Iterator
from typing import Any

from ..declaring import Settings, resource_policy, text
from ..network.groups import is_world
from ..reading import UNKNOWN, is_on, may_be, may_hold, parts
from ..resources import Resource

_CLUSTER = "aws:eks/cluster:Cluster"
_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@resource_policy(
    "eks-endpoint",
    _CLUSTER,
)
def endpoint_is_closed(cluster: Resource, _: Settings) -> Iterator[str]:
    """The cluster is reached from within, or from addresses that are named."""
    if not is_on(cluster.at("vpcConfig", "endpointPrivateAccess")):
        yield "set vpc_config.endpoint_private_access"
    if cluster.at("vpcConfig", "endpointPublicAccess") in (False, "false", UNKNOWN):
        return
    named = cluster.at("vpcConfig", "publicAccessCidrs")
    if named is None or named == [] or any(map(is_world, parts(named))):
        yield (
            "name who may reach the endpoint in vpc_config.public_access_cidrs (never 0.0.0.0/0),"
            " or set endpoint_public_access to false"
        )


@resource_policy("eks-secrets-kms", _CLUSTER)
def secrets_are_encrypted(cluster: Resource, _: Settings) -> Iterator[str]:
    """Kubernetes secrets are encrypted under a key of the account."""
    key = cluster.at("encryptionConfig", "provider", "keyArn")
    resources = cluster.at("encryptionConfig", "resources")
    if not (key and may_hold(resources, "secrets")):
        yield 'set encryption_config={provider: {key_arn: …}, resources: ["secrets"]}'


@resource_policy("eks-logging", _CLUSTER)
def control_plane_is_logged(cluster: Resource, _: Settings) -> Iterator[str]:
    """The control plane writes all five of its logs."""
    enabled = cluster.at("enabledClusterLogTypes")
    if missing := [kind for kind in _LOGS if not may_hold(enabled, kind)]:
        yield f"add {', '.join(missing)} to enabled_cluster_log_types"


@resource_policy("eks-auth-api", _CLUSTER)
def entries_decide_who_enters(cluster: Resource, _: Settings) -> Iterator[str]:
    """Who may enter is told by access entries alone."""
    if not may_be(cluster.at("accessConfig", "authenticationMode"), ["API"]):
        yield "set access_config.authentication_mode to API"


@resource_policy(
    "eks-version",
    _CLUSTER,
    schema={"oldest": text("1.33"), "newest": text("1.36")},
)
def version_is_supported(cluster: Resource, settings: Settings) -> Iterator[str]:
    """The cluster's version is supported, without the price of extended support."""
    oldest, newest = settings["oldest"], settings["newest"]
    version = cluster.at("version")
    if version is not UNKNOWN and not _key(oldest) <= _key(version) <= _key(newest):
        yield f"set version to {oldest}..{newest}, not {version}"
    if not may_be(cluster.at("upgradePolicy", "supportType"), ["STANDARD"]):
        yield "set upgrade_policy={support_type: STANDARD}: extended support costs six times more"


def _key(version: Any) -> tuple[int, ...]:  # noqa: ANN401 - a text, or nothing
    return tuple(int(part) for part in re.findall(r"\d+", str(version)))
