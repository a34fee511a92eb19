"""The network that a stack brings up for its cluster."""

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from infra.settings.settings import Settings

SERVICE_CIDR = "172.20.0.0/16"
"""Where Kubernetes puts its services; no address of the network may be the same."""

GATEWAY_SERVICES = ("s3", "dynamodb")
"""Reached through routes, free of charge. Image layers, weights and payloads all come from S3."""

INTERFACE_SERVICES = (
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "kms",
    "logs",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "sts",
)
"""What nodes and workers call; each is paid for by the hour and zone."""

_WIDEST_PREFIX, _NARROWEST_PREFIX = 16, 20
"""Of a VPC's ranges, what AWS takes at most and what leaves enough addresses for pods."""

_FIRST_PUBLIC_SUBNET = 200
"""Of 256; the private subnets are the first three of 8."""


def _cidr(text: str) -> str:
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a network such as 10.40.0.0/16: {error}") from error
    if not (network.is_private and _WIDEST_PREFIX <= network.prefixlen <= _NARROWEST_PREFIX):
        raise ValueError(f"{text}: take a private network between /16 and /20")
    if network.overlaps(IPv4Network(SERVICE_CIDR)):
        raise ValueError(f"{text} overlaps {SERVICE_CIDR}, where Kubernetes puts its services")
    return text


class NetworkSettings(Settings):
    """A VPC over two or three zones."""

    cidr: Annotated[str, AfterValidator(_cidr)] = "10.40.0.0/16"
    """Its private addresses, from a /16 to a /20; every pod takes one."""

    zones: Annotated[
        tuple[Literal["a", "b", "c", "d", "e", "f"], ...], Field(min_length=2, max_length=3)
    ] = ("a", "b", "c")
    """Letters of the region's zones. GPUs are scarce: each zone more is a place more to find one.
    EKS has no control plane in the zones whose ids are use1-az3, usw1-az2 and cac1-az3."""

    egress: Literal["nat-single", "nat-per-az", "private"] = "nat-single"
    """How nodes reach what is outside: through one NAT gateway, through one per zone, which
    outlives the loss of a zone, or not at all: AWS through interface endpoints, weights from S3
    and images from ECR only."""

    @model_validator(mode="after")
    def _names_each_zone_once(self) -> Self:
        if len(set(self.zones)) < len(self.zones):
            raise ValueError(f"zones: {', '.join(self.zones)} names a zone twice")
        return self

    @property
    def private_subnets(self) -> dict[str, str]:
        """Zone to address range. Large: every pod takes an address of it."""
        subnets = IPv4Network(self.cidr).subnets(prefixlen_diff=3)
        return {zone: str(subnet) for zone, subnet in zip(self.zones, subnets, strict=False)}

    @property
    def public_subnets(self) -> dict[str, str]:
        """Zone to address range; only NAT gateways and load balancers are in it."""
        subnets = list(IPv4Network(self.cidr).subnets(prefixlen_diff=8))[_FIRST_PUBLIC_SUBNET:]
        return {zone: str(subnet) for zone, subnet in zip(self.zones, subnets, strict=False)}
