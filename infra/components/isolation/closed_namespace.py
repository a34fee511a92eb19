"""A namespace whose pods talk to nobody, but for what each kind of them needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

from infra.components.isolation.ways import Way

_BOTH = ["Ingress", "Egress"]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What lets some pods of a namespace talk."""

    pods: Mapping[str, str] = field(default_factory=dict)
    """Their labels; without any it is for all."""

    incoming: Sequence[Way] = ()
    outgoing: Sequence[Way] = ()


@dataclass(frozen=True, kw_only=True)
class ClosedNamespaceArgs:
    """What the namespace needs to know."""

    namespace: str
    pod_security: Literal["restricted", "privileged"]
    """What its pods may be: Kubernetes refuses all others."""

    openings: Mapping[str, Opening]
    """By what they are for."""


class ClosedNamespace(pulumi.ComponentResource):
    """A namespace with a default deny, and its openings."""

    name: pulumi.Output[str]
    ready: list[pulumi.Resource]
    """What its pods come after: a pod that starts before its policies is not closed in at first."""

    def __init__(
        self, name: str, args: ClosedNamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:ClosedNamespace", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = k8s.core.v1.Namespace(
            name,
            metadata={"name": args.namespace, "labels": _labels(args.pod_security)},
            opts=child,
        )
        here = namespace.metadata.name
        # Open to nobody, for all of its pods: the default deny.
        policies = {"closed": Opening(), **args.openings}
        self.name = here
        self.ready = [
            declare_opening(f"{name}-{purpose}", purpose, here, opening, child)
            for purpose, opening in policies.items()
        ]
        self.register_outputs({"name": self.name})


def declare_opening(
    name: str,
    purpose: pulumi.Input[str],
    namespace: pulumi.Input[str],
    opening: Opening,
    opts: pulumi.ResourceOptions,
) -> k8s.networking.v1.NetworkPolicy:
    """Declare one opening; it adds to those that a namespace has."""
    return k8s.networking.v1.NetworkPolicy(
        name,
        metadata={"name": purpose, "namespace": namespace},
        spec={
            "pod_selector": {"match_labels": opening.pods} if opening.pods else {},
            "policy_types": _BOTH,
            "ingress": [{"from_": list(way.peers), "ports": way.at()} for way in opening.incoming],
            "egress": [{"to": list(way.peers), "ports": way.at()} for way in opening.outgoing],
        },
        opts=opts,
    )


def _labels(pod_security: str) -> dict[str, str]:
    labels = {"pod-security.kubernetes.io/enforce": pod_security}
    if pod_security == "privileged":
        return labels
    # A Deployment whose pods would be refused is taken; the warning tells whoever deploys it.
    return {**labels, "pod-security.kubernetes.io/warn": pod_security}
