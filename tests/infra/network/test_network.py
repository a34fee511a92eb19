"""The network: who reaches what, and by which way."""

from typing import Any

import pytest

from tests.infra.cluster.platforms import platform
from tests.infra.recording import ACCOUNT, REGION, Declared, Registered

NETWORK = "platform-network"
MODES = ["nat-single", "nat-per-az", "private"]


def _endpoints(declared: Declared, kind: str) -> dict[str, Registered]:
    return {
        r.inputs["serviceName"].removeprefix(f"com.amazonaws.{REGION}."): r
        for r in declared.of_type("ec2/vpcEndpoint:VpcEndpoint")
        if r.inputs["vpcEndpointType"] == kind
    }


def _routes_out(declared: Declared) -> dict[str, str]:
    """Return by which NAT gateway each private table leads out."""
    return {
        r.inputs["routeTableId"]: r.inputs["natGatewayId"]
        for r in declared.of_type("ec2/route:Route")
        if "natGatewayId" in r.inputs
    }


@pytest.mark.parametrize(
    ("mode", "gateways", "public_subnets"),
    [("nat-single", 1, 3), ("nat-per-az", 3, 3), ("private", 0, 0)],
)
def test_an_egress_mode_is_paid_for_by_its_gateways(
    mode: str, gateways: int, public_subnets: int
) -> None:
    declared = platform(egress=mode, kept=mode == "nat-per-az")

    assert len(declared.of_type("ec2/natGateway:NatGateway")) == gateways
    assert len(declared.of_type("ec2/eip:Eip")) == gateways
    subnets = declared.of_type("ec2/subnet:Subnet")
    assert len([s for s in subnets if "-public-" in s.name]) == public_subnets
    assert len(declared.of_type("ec2/internetGateway:InternetGateway")) == bool(gateways)


def test_with_one_gateway_every_zone_leaves_through_it() -> None:
    routes = _routes_out(platform())

    assert routes == {
        f"{NETWORK}-private-{zone}-table-id": f"{NETWORK}-egress-nat-a-id" for zone in "abc"
    }


def test_with_a_gateway_per_zone_no_zone_needs_another() -> None:
    routes = _routes_out(platform(egress="nat-per-az", kept=True))

    assert routes == {
        f"{NETWORK}-private-{zone}-table-id": f"{NETWORK}-egress-nat-{zone}-id" for zone in "abc"
    }


def test_without_a_way_out_no_route_leads_anywhere() -> None:
    assert platform(egress="private").of_type("ec2/route:Route") == []


def test_a_gateway_comes_after_the_route_of_its_subnet() -> None:
    declared = platform()
    gateway = declared.named(f"{NETWORK}-egress-nat-a", ":NatGateway")

    assert declared.named(f"{NETWORK}-egress-public-route", ":Route").urn in gateway.depends_on


@pytest.mark.parametrize("mode", MODES)
def test_load_balancers_find_their_subnets(mode: str) -> None:
    for subnet in platform(egress=mode, kept=mode == "nat-per-az").of_type(":Subnet"):
        role = "elb" if "-public-" in subnet.name else "internal-elb"
        assert subnet.inputs["tags"] == {f"kubernetes.io/role/{role}": "1"}
        assert subnet.inputs.get("mapPublicIpOnLaunch", False) is False


@pytest.mark.parametrize("mode", MODES)
def test_every_subnet_has_exactly_one_table(mode: str) -> None:
    declared = platform(egress=mode, kept=mode == "nat-per-az")
    associated = [r.inputs["subnetId"] for r in declared.of_type(":RouteTableAssociation")]

    assert sorted(associated) == sorted(f"{s.name}-id" for s in declared.of_type(":Subnet"))


@pytest.mark.parametrize("mode", MODES)
def test_buckets_and_tables_are_reached_without_leaving(mode: str) -> None:
    gateways = _endpoints(platform(egress=mode, kept=mode == "nat-per-az"), "Gateway")

    assert set(gateways) == {"s3", "dynamodb"}
    tables = {f"{NETWORK}-private-{zone}-table-id" for zone in "abc"}
    assert all(set(endpoint.inputs["routeTableIds"]) == tables for endpoint in gateways.values())


def test_only_where_nothing_leads_out_are_interfaces_paid_for() -> None:
    assert _endpoints(platform(), "Interface") == {}

    interfaces = _endpoints(platform(egress="private"), "Interface")
    # Nodes cannot join without the first line, pods have no credentials without the second, and
    # workers cannot work without the third.
    assert {"ec2", "eks", "ecr.api", "ecr.dkr", "sts"} <= set(interfaces)
    assert {"eks-auth", "autoscaling", "ssm", "elasticloadbalancing"} <= set(interfaces)
    assert {"sqs", "sns", "logs", "kms", "secretsmanager"} <= set(interfaces)
    for endpoint in interfaces.values():
        assert endpoint.inputs["privateDnsEnabled"] is True
        assert len(endpoint.inputs["subnetIds"]) == 3
        assert endpoint.inputs["securityGroupIds"] == [f"{NETWORK}-endpoints-callers-id"]


def test_interfaces_answer_the_network_itself_on_https_alone() -> None:
    declared = platform(egress="private")
    (group,) = declared.of_type("ec2/securityGroup:SecurityGroup")
    (rule,) = declared.of_type(":SecurityGroupIngressRule")

    assert "ingress" not in group.inputs
    assert "egress" not in group.inputs
    assert rule.inputs["securityGroupId"] == f"{group.name}-id"
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)
    assert rule.inputs["cidrIpv4"] == "10.40.0.0/16"


def _only_own_account(statement: dict[str, Any]) -> bool:
    condition: dict[str, Any] = statement.get("Condition", {})
    return condition == {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}


def test_endpoints_serve_this_account_only() -> None:
    declared = platform(egress="private")
    endpoints = {**_endpoints(declared, "Interface"), **_endpoints(declared, "Gateway")}

    others = {
        (service, statement["Action"], statement["Resource"])
        for service, endpoint in endpoints.items()
        for statement in endpoint.policy()
        if not _only_own_account(statement)
    }
    # ECR hands out layers from a bucket of its own, under its own signature.
    layers = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/*"
    assert others == {("s3", "s3:GetObject", layers)}


def test_with_a_way_out_the_buckets_of_others_can_be_read() -> None:
    # Weights and layers of other registries lie in S3, unsigned or signed by others.
    gateways = _endpoints(platform(), "Gateway")

    assert "policy" not in gateways["s3"].inputs
    assert all(_only_own_account(s) for s in gateways["dynamodb"].policy())


def test_what_names_no_group_reaches_nothing() -> None:
    (group,) = platform().of_type(":DefaultSecurityGroup")

    assert group.inputs == {"vpcId": f"{NETWORK}-vpc-id"}


def test_rejected_connections_are_written_down_and_forgotten_in_time() -> None:
    declared = platform()
    (log,) = declared.of_type("ec2/flowLog:FlowLog")
    lines = declared.named(f"{NETWORK}-rejected-lines", ":LogGroup")
    (trust,) = declared.named(f"{NETWORK}-rejected-writer", ":Role").policy("assumeRolePolicy")
    (granted,) = declared.named(f"{NETWORK}-rejected-permissions", ":RolePolicy").policy()

    assert log.inputs["trafficType"] == "REJECT"
    assert log.inputs["logDestination"] == lines.outputs["arn"]
    assert lines.inputs["retentionInDays"] == 30
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert granted["Resource"] == f"{lines.outputs['arn']}:*"
