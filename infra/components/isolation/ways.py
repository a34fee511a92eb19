"""Ways that a closed namespace may be given: with whom its pods talk, and at which ports.

Kubelet needs none: a pod is always reached from its own node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi_kubernetes as k8s

Peer = k8s.networking.v1.NetworkPolicyPeerArgsDict
Port = k8s.networking.v1.NetworkPolicyPortArgsDict

_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, kw_only=True)
class Way:
    """Traffic with some peers, into a pod or out of it."""

    peers: Sequence[Peer]
    ports: Sequence[int]
    protocols: Sequence[Literal["TCP", "UDP"]] = ("TCP",)

    def at(self) -> list[Port]:
        """Return the ports in Kubernetes' words."""
        return [
            {"protocol": protocol, "port": port}
            for port in self.ports
            for protocol in self.protocols
        ]


def pods(labels: Mapping[str, str], *, namespace: str | None = None) -> Peer:
    """Return pods of another namespace, or of the same one."""
    chosen: Peer = {"pod_selector": {"match_labels": labels}}
    if namespace is None:
        return chosen
    return {**chosen, "namespace_selector": {"match_labels": {_NAMESPACE_NAME: namespace}}}


def addresses(*cidrs: str) -> list[Peer]:
    """Return whoever has an address in one of `cidrs`."""
    return [{"ip_block": {"cidr": cidr}} for cidr in cidrs]


DNS = Way(
    peers=[pods({"k8s-app": "kube-dns"}, namespace="kube-system")],
    ports=[53],
    protocols=("UDP", "TCP"),
)
COLLECTOR = {"app.kubernetes.io/name": "opentelemetry-collector"}
"""Labels of the pods that bring metrics and traces away."""

POD_IDENTITY = Way(peers=addresses("169.254.170.23/32", "fd00:ec2::23/128"), ports=[80])
"""The agent on the node that hands out the credentials of a pod's own role."""

INSTANCE_METADATA = Way(peers=addresses("169.254.169.254/32", "fd00:ec2::254/128"), ports=[80])


def scrapes(port: int) -> Way:
    """Return Prometheus or our collector, in whatever namespace, that reads metrics at `port`."""
    readers = ({"app.kubernetes.io/name": "prometheus"}, COLLECTOR)
    peers: list[Peer] = [{**pods(labels), "namespace_selector": {}} for labels in readers]
    return Way(peers=peers, ports=[port])
