"""A network over several zones, closed but for the ways out that it is given."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.custody.log_keeping import LogKeeping
from infra.components.network.flow_log import FlowLog, FlowLogArgs
from infra.components.network.nat_egress import NatEgress, NatEgressArgs
from infra.components.network.vpc_endpoints import VpcEndpoints, VpcEndpointsArgs
from infra.settings.network_settings import NetworkSettings


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a network needs to know."""

    settings: NetworkSettings
    region: str
    account_id: pulumi.Input[str]
    logs: LogKeeping


class Network(pulumi.ComponentResource):
    """A VPC whose private subnets hold nodes and pods. What starts in it depends on all of it."""

    vpc_id: pulumi.Output[str]
    cidr: str
    private_subnet_ids: list[pulumi.Output[str]]
    public_subnet_ids: list[pulumi.Output[str]]
    """None without a way out."""

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:network:Network", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args.settings.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            opts=self._child,
        )
        self.vpc_id, self.cidr = vpc.id, args.settings.cidr
        # Declared without rules, the group that everything falls into lets nothing through.
        aws.ec2.DefaultSecurityGroup(f"{name}-default-group", vpc_id=vpc.id, opts=self._child)
        log = FlowLogArgs(vpc_id=vpc.id, account_id=args.account_id, logs=args.logs)
        FlowLog(f"{name}-rejected", log, self._child)
        self._route_tables: dict[str, pulumi.Output[str]] = {}
        self.private_subnet_ids = [
            self._declare_private_subnet(zone, cidr)
            for zone, cidr in args.settings.private_subnets.items()
        ]
        is_closed = args.settings.egress == "private"
        self._declare_endpoints(is_only_way=is_closed)
        self.public_subnet_ids = [] if is_closed else self._declare_way_out()
        self.register_outputs(
            {"vpc_id": self.vpc_id, "private_subnet_ids": self.private_subnet_ids}
        )

    def _declare_private_subnet(self, zone: str, cidr: str) -> pulumi.Output[str]:
        name = f"{self._name}-private-{zone}"
        subnet = aws.ec2.Subnet(
            name,
            vpc_id=self.vpc_id,
            cidr_block=cidr,
            availability_zone=f"{self._args.region}{zone}",
            tags={"kubernetes.io/role/internal-elb": "1"},
            opts=self._child,
        )
        table = aws.ec2.RouteTable(f"{name}-table", vpc_id=self.vpc_id, opts=self._child)
        aws.ec2.RouteTableAssociation(
            f"{name}-routes", route_table_id=table.id, subnet_id=subnet.id, opts=self._child
        )
        self._route_tables[zone] = table.id
        return subnet.id

    def _declare_endpoints(self, *, is_only_way: bool) -> None:
        endpoints = VpcEndpointsArgs(
            vpc_id=self.vpc_id,
            region=self._args.region,
            account_id=self._args.account_id,
            cidr=self.cidr,
            route_table_ids=list(self._route_tables.values()),
            subnet_ids=self.private_subnet_ids,
            is_only_way=is_only_way,
        )
        VpcEndpoints(f"{self._name}-endpoints", endpoints, self._child)

    def _declare_way_out(self) -> list[pulumi.Output[str]]:
        egress = NatEgressArgs(
            vpc_id=self.vpc_id,
            region=self._args.region,
            public_subnets=self._args.settings.public_subnets,
            private_route_tables=self._route_tables,
            is_per_zone=self._args.settings.egress == "nat-per-az",
        )
        return NatEgress(f"{self._name}-egress", egress, self._child).public_subnet_ids
