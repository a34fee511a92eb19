"""Ways from a network to AWS that do not leave it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.permissions import policy
from infra.settings.network_settings import GATEWAY_SERVICES, INTERFACE_SERVICES


@dataclass(frozen=True, kw_only=True)
class VpcEndpointsArgs:
    """What the endpoints need to know."""

    vpc_id: pulumi.Input[str]
    region: str
    account_id: pulumi.Input[str]
    cidr: str
    route_table_ids: Sequence[pulumi.Input[str]]
    subnet_ids: Sequence[pulumi.Input[str]]
    is_only_way: bool
    """Whether nothing else leads out: AWS is then reached through interfaces too, and S3 lets
    through what is this account's and the layers of images."""


class VpcEndpoints(pulumi.ComponentResource):
    """Gateways to S3 and DynamoDB, and interfaces to the rest where there is no other way."""

    services: list[str]

    def __init__(
        self, name: str, args: VpcEndpointsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:network:VpcEndpoints", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        for service in GATEWAY_SERVICES:
            aws.ec2.VpcEndpoint(
                f"{name}-{service}",
                vpc_id=args.vpc_id,
                vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{args.region}.{service}",
                route_table_ids=args.route_table_ids,
                policy=self._gateway_policy(service),
                opts=self._child,
            )
        if args.is_only_way:
            self._declare_interfaces()
        self.services = [*GATEWAY_SERVICES, *(INTERFACE_SERVICES if args.is_only_way else ())]
        self.register_outputs({"services": self.services})

    def _declare_interfaces(self) -> None:
        args = self._args
        group = aws.ec2.SecurityGroup(
            f"{self._name}-callers",
            vpc_id=args.vpc_id,
            description="Who may use the interface endpoints",
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-https",
            security_group_id=group.id,
            description="HTTPS from the network itself",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=args.cidr,
            opts=self._child,
        )
        for service in INTERFACE_SERVICES:
            aws.ec2.VpcEndpoint(
                f"{self._name}-{service.replace('.', '-')}",
                vpc_id=args.vpc_id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{args.region}.{service}",
                private_dns_enabled=True,
                subnet_ids=args.subnet_ids,
                security_group_ids=[group.id],
                policy=policy(self._own_account()),
                opts=self._child,
            )

    def _gateway_policy(self, service: str) -> pulumi.Output[str] | None:
        if service != "s3":
            return policy(self._own_account())
        if not self._args.is_only_way:
            # Weights and other registries' layers lie in S3 too, signed by others or by nobody.
            return None
        layers = f"arn:aws:s3:::prod-{self._args.region}-starport-layer-bucket/*"
        return policy(self._own_account(), _allow_anyone("s3:GetObject", layers))

    def _own_account(self) -> dict[str, Any]:
        condition = {"StringEquals": {"aws:PrincipalAccount": self._args.account_id}}
        return {**_allow_anyone("*", "*"), "Condition": condition}


def _allow_anyone(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
