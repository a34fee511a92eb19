from typing import Any

from tests.policies.cases.case import fails, passes, resource
from tests.policies.servicer import UNKNOWN, Given

GROUP = resource("ec2/securityGroup", "door", id="sg-1")
VPC = resource("ec2/vpc", "network", id="vpc-1")


def balancer(**props: Any) -> Given:
    return resource("lb/loadBalancer", "front", securityGroups=["sg-1"], **props)


def rule(port: int = 443, block: str = "0.0.0.0/0", **props: Any) -> Given:
    kind = "vpc/securityGroupIngressRule"
    given = {"securityGroupId": "sg-1", "fromPort": port, "toPort": port, "cidrIpv4": block}
    return resource(kind, "door-in", **{**given, **props})


def inside(*blocks: str, port: int = 443) -> Given:
    ingress = [{"fromPort": port, "toPort": port, "cidrBlocks": list(blocks)}]
    return resource("ec2/securityGroup", "door", id="sg-1", ingress=ingress)


def default_group(**props: Any) -> Given:
    return resource("ec2/defaultSecurityGroup", "nobody", id="sg-0", vpcId="vpc-1", **props)


def domain(policy: str) -> Given:
    return resource("apigateway/domainName", "api", securityPolicy=policy)


def listener(protocol: str, policy: str | None = None) -> Given:
    return resource("lb/listener", "https", protocol=protocol, sslPolicy=policy)


CASES = [
    passes("sg-no-world-ingress", "443 of a public balancer", GROUP, balancer(), rule()),
    passes("sg-no-world-ingress", "the network's own addresses", GROUP, rule(22, "10.40.0.0/16")),
    passes("sg-no-world-ingress", "addresses that nobody knows yet", GROUP, rule(22, UNKNOWN)),
    fails("sg-no-world-ingress", "no balancer behind it", GROUP, rule(), says="close 0.0.0.0/0"),
    fails(
        "sg-no-world-ingress",
        "an internal balancer",
        GROUP,
        balancer(internal=True),
        rule(),
        says="door-in: close 0.0.0.0/0",
    ),
    fails("sg-no-world-ingress", "ssh", GROUP, balancer(), rule(22), says="only port 443"),
    fails(
        "sg-no-world-ingress",
        "half the world",
        GROUP,
        rule(443, "128.0.0.0/1"),
        says="close 128.0.0.0/1",
    ),
    fails(
        "sg-no-world-ingress",
        "the other protocol",
        GROUP,
        rule(443, UNKNOWN, cidrIpv6="::/0"),
        says="close ::/0",
    ),
    fails("sg-no-world-ingress", "inside the group", inside("0.0.0.0/0"), says="door: close"),
    fails(
        "sg-no-world-ingress",
        "a rule of the old kind",
        resource("ec2/securityGroupRule", "old", type="ingress", cidrBlocks=["0.0.0.0/0"]),
        says="old: close 0.0.0.0/0",
    ),
    passes("default-sg-locked", "locked", VPC, default_group()),
    fails("default-sg-locked", "as AWS made it", VPC, says="network: add a DefaultSecurityGroup"),
    fails(
        "default-sg-locked",
        "with rules",
        VPC,
        default_group(ingress=[{"fromPort": 0, "toPort": 0, "protocol": "-1"}]),
        says="nobody: take its rules away",
    ),
    fails(
        "default-sg-locked",
        "with rules beside it",
        VPC,
        default_group(),
        rule(443, "10.0.0.0/8", securityGroupId="sg-0"),
        says="nobody: take its rules away",
    ),
    passes("tls-policy", "a modern domain", domain("TLS_1_2")),
    passes("tls-policy", "an HTTP listener", listener("HTTP")),
    passes("tls-policy", "by config", domain("NEW"), config={"domainPolicies": ["NEW"]}),
    passes("tls-policy", "modern", listener("HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06")),
    passes(
        "tls-policy",
        "a listener by config",
        listener("TLS", "NEW"),
        config={"listenerPolicies": ["NEW"]},
    ),
    fails("tls-policy", "an old domain", domain("TLS_1_0"), says="not TLS_1_0"),
    fails("tls-policy", "no policy", listener("HTTPS"), says="https: set ssl_policy to one of"),
    fails(
        "tls-policy",
        "an old domain of an HTTP API",
        resource(
            "apigatewayv2/domainName",
            "api",
            domainNameConfiguration={"securityPolicy": "TLS_1_0"},
        ),
        says="api: set security_policy",
    ),
    passes("lb-deletion-protection", "protected", balancer(enableDeletionProtection=True)),
    passes("lb-deletion-protection", "a throwaway stack", balancer()._replace(stack="dev-anna")),
    passes(
        "lb-deletion-protection",
        "exempt by config",
        balancer(),
        config={"exemptStacks": ["production"]},
    ),
    fails("lb-deletion-protection", "open", balancer(), says="set enable_deletion_protection"),
]
