"""The way out of a network: public subnets with NAT gateways."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class NatEgressArgs:
    """What the way out needs to know."""

    vpc_id: pulumi.Input[str]
    region: str
    public_subnets: Mapping[str, str]
    """Zone to address range."""

    private_route_tables: Mapping[str, pulumi.Input[str]]
    """Zone to the id of the table that gets a route out."""

    is_per_zone: bool
    """Whether each zone has a gateway of its own, or all share that of the first."""


class NatEgress(pulumi.ComponentResource):
    """Lets what is in the private subnets reach the Internet, and nothing come in."""

    public_subnet_ids: list[pulumi.Output[str]]

    def __init__(
        self, name: str, args: NatEgressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:network:NatEgress", name, {}, opts)
        self._name, self._args = name, args
        self._child = child = pulumi.ResourceOptions(parent=self)
        gateway = aws.ec2.InternetGateway(f"{name}-internet", vpc_id=args.vpc_id, opts=child)
        table = aws.ec2.RouteTable(f"{name}-public-routes", vpc_id=args.vpc_id, opts=child)
        out = aws.ec2.Route(
            f"{name}-public-route",
            route_table_id=table.id,
            destination_cidr_block=_ANYWHERE,
            gateway_id=gateway.id,
            opts=child,
        )
        subnets = self._declare_subnets(table)
        self.public_subnet_ids = [subnet.id for subnet in subnets.values()]
        self._declare_gateways(subnets, out)
        self.register_outputs({"public_subnet_ids": self.public_subnet_ids})

    def _declare_subnets(self, table: aws.ec2.RouteTable) -> dict[str, aws.ec2.Subnet]:
        subnets = {}
        for zone, cidr in self._args.public_subnets.items():
            subnets[zone] = aws.ec2.Subnet(
                f"{self._name}-public-{zone}",
                vpc_id=self._args.vpc_id,
                cidr_block=cidr,
                availability_zone=f"{self._args.region}{zone}",
                map_public_ip_on_launch=False,
                tags={"kubernetes.io/role/elb": "1"},
                opts=self._child,
            )
            aws.ec2.RouteTableAssociation(
                f"{self._name}-public-{zone}-routes",
                route_table_id=table.id,
                subnet_id=subnets[zone].id,
                opts=self._child,
            )
        return subnets

    def _declare_gateways(
        self, subnets: Mapping[str, aws.ec2.Subnet], out: pulumi.Resource
    ) -> None:
        zones = list(subnets) if self._args.is_per_zone else list(subnets)[:1]
        gateways = {zone: self._declare_gateway(zone, subnets[zone], out) for zone in zones}
        for zone, table_id in self._args.private_route_tables.items():
            aws.ec2.Route(
                f"{self._name}-private-{zone}-route",
                route_table_id=table_id,
                destination_cidr_block=_ANYWHERE,
                nat_gateway_id=gateways.get(zone, gateways[zones[0]]).id,
                opts=self._child,
            )

    def _declare_gateway(
        self, zone: str, subnet: aws.ec2.Subnet, out: pulumi.Resource
    ) -> aws.ec2.NatGateway:
        address = aws.ec2.Eip(f"{self._name}-address-{zone}", domain="vpc", opts=self._child)
        return aws.ec2.NatGateway(
            f"{self._name}-nat-{zone}",
            subnet_id=subnet.id,
            allocation_id=address.allocation_id,
            connectivity_type="public",
            # It is ready only when its own subnet has a way out.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[out]),
        )
