"""Pods talk to nobody unless a policy says so."""

from collections.abc import Iterator

from ..declaring import Settings, stack_policy
from ..reading import UNKNOWN, may_hold
from ..resources import Resource, Stack

_NAMESPACE = "kubernetes:core/v1:Namespace"
_NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


@stack_policy("k8s-default-deny")
def namespaces_are_closed(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """Every namespace has a network policy that lets nothing in or out."""
    for namespace in stack.of(_NAMESPACE):
        policies = [p for p in stack.of(_NETWORK_POLICY) if _may_be_in(p, namespace)]
        if not any(map(_closes_all, policies)):
            yield (
                namespace,
                "add a NetworkPolicy with an empty pod_selector, both policy_types and no rules",
            )


def _may_be_in(policy: Resource, namespace: Resource) -> bool:
    named, name = policy.at("metadata", "namespace"), namespace.at("metadata", "name")
    if isinstance(named, str) and isinstance(name, str):
        return named == name
    return policy.may_refer_to(namespace, "metadata", "namespace") or (
        named is not None and name is UNKNOWN
    )


def _closes_all(policy: Resource) -> bool:
    if (spec := policy.at("spec")) is UNKNOWN:
        return True
    selector, kinds = policy.at("spec", "podSelector"), policy.at("spec", "policyTypes")
    is_for_all = selector is UNKNOWN or not any((selector or {}).values())
    lets_through = any(
        (spec or {}).get(key) not in (None, [], UNKNOWN) for key in ("ingress", "egress")
    )
    return (
        is_for_all
        and not lets_through
        and all(may_hold(kinds, kind) for kind in ("Ingress", "Egress"))
    )
