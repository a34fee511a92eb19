"""Platforms to look at, each declared once."""

from functools import cache
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.cluster_platform import ClusterPlatform, ClusterPlatformArgs
from infra.components.custody.custody import Custody
from infra.components.custody.log_keeping import LogKeeping
from infra.settings.cluster_settings import NewClusterSettings
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.fleet_plan import plan_fleet
from infra.settings.model_settings import ModelSettings
from infra.settings.network_settings import NetworkSettings
from tests.infra.recording import ACCOUNT, REGION, Declared, record

ADMIN = "arn:aws:iam::123456789012:role/deployer"
MIRROR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mirror"
_NEW: dict[str, Any] = {"public_access_cidrs": ["198.51.100.0/24"], "admin_role_arns": [ADMIN]}
_DEPLOYMENTS: dict[str, dict[str, Any]] = {
    "small": {"instance": "L4", "autoscaling": {"max_replica": 4}, "watch_spot_notice": True},
    "large": {"instance": "H100:4", "autoscaling": {"max_replica": 3}},
    "plain": {"instance": "CPU:4x16", "autoscaling": {"max_replica": 2}},
}


@cache
def platform(
    *, egress: str = "nat-single", autoscaler: str = "cluster-autoscaler", kept: bool = False
) -> Declared:
    """Declare a platform for three models."""
    mirror = {"image_mirror": MIRROR} if egress == "private" else {}
    new = NewClusterSettings.checked({**_NEW, **mirror, "fleet": {"autoscaler": autoscaler}})
    models = {
        name: ModelSettings.checked({"deployments": {"v1": {"truss": "models/m", **deployment}}})
        for name, deployment in _DEPLOYMENTS.items()
    }
    args = ClusterPlatformArgs(
        stack="test",
        custody=Custody(account_id=ACCOUNT, region=REGION),
        region=REGION,
        cluster_name="main",
        namespace="penstock",
        settings=new,
        network=NetworkSettings.checked({"egress": egress}),
        groups=plan_fleet(models, new.fleet, Catalogue.load()),
        longest_drain_seconds=3_600,
        keda_authentication="penstock-aws",
        logs=LogKeeping(days=30),
        is_protected=kept,
        tags={"Project": "penstock"},
    )

    def program() -> None:
        provider = aws.Provider("aws", region=REGION)
        ClusterPlatform("platform", args, pulumi.ResourceOptions(providers=[provider]))

    return record(program)


VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"egress": "nat-per-az", "kept": True},
    {"egress": "private"},
    {"autoscaler": "karpenter"},
    {"autoscaler": "karpenter", "egress": "private"},
)
