"""Load balancers and domains speak modern TLS, and are hard to delete."""

from collections.abc import Iterator

from ..declaring import Settings, resource_policy, texts
from ..reading import is_on, may_be
from ..resources import THROWAWAY_STACKS, Resource

_REST_DOMAIN = "aws:apigateway/domainName:DomainName"
_HTTP_DOMAIN = "aws:apigatewayv2/domainName:DomainName"
_LISTENER = "aws:lb/listener:Listener"
_BALANCER = "aws:lb/loadBalancer:LoadBalancer"


@resource_policy(
    "tls-policy",
    _REST_DOMAIN,
    _HTTP_DOMAIN,
    _LISTENER,
    schema={
        "domainPolicies": texts(
            "TLS_1_2",
            "SecurityPolicy_TLS12_2018_EDGE",
            "SecurityPolicy_TLS13_1_2_2021_06",
            "SecurityPolicy_TLS13_1_3_2025_09",
        ),
        "listenerPolicies": texts(
            "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            "ELBSecurityPolicy-TLS13-1-3-2021-06",
        ),
    },
)
def tls_is_modern(door: Resource, settings: Settings) -> Iterator[str]:
    """Domains and listeners refuse outdated TLS."""
    if door.type == _LISTENER:
        if door.at("protocol") in ("HTTPS", "TLS"):
            yield from _unless_listed(
                door, "ssl_policy", ("sslPolicy",), settings["listenerPolicies"]
            )
        return
    nested = ("domainNameConfiguration",) if door.type == _HTTP_DOMAIN else ()
    path = (*nested, "securityPolicy")
    yield from _unless_listed(door, "security_policy", path, settings["domainPolicies"])


def _unless_listed(
    door: Resource, key: str, path: tuple[str, ...], accepted: list[str]
) -> Iterator[str]:
    if not may_be(found := door.at(*path), accepted):
        yield f"set {key} to one of {', '.join(accepted)}, not {found}"


@resource_policy(
    "lb-deletion-protection",
    _BALANCER,
    schema={"exemptStacks": texts(*THROWAWAY_STACKS)},
)
def balancers_refuse_deletion(balancer: Resource, settings: Settings) -> Iterator[str]:
    """Outside throwaway stacks load balancers refuse to be deleted."""
    is_exempt = balancer.is_in(settings["exemptStacks"])
    if not (is_on(balancer.at("enableDeletionProtection")) or is_exempt):
        yield "set enable_deletion_protection"
