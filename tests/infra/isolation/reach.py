"""Tells from registered network policies who may talk to whom, as Kubernetes defines it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.infra.recording import Declared

Spec = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod as policies see it."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = "10.40.3.7"


@dataclass(frozen=True)
class Cluster:
    """The policies of a cluster."""

    policies: tuple[tuple[str, Spec], ...]

    @classmethod
    def of(cls, declared: Declared) -> "Cluster":
        policies = declared.of_type("networking.k8s.io/v1:NetworkPolicy")
        return cls(tuple((p.inputs["metadata"]["namespace"], p.inputs["spec"]) for p in policies))

    def may_send(self, pod: Pod, to: Pod | str, port: int, protocol: str = "TCP") -> bool:
        """Tell whether `pod` may open a connection to another one, or to an address."""
        return self._is_let(pod, "Egress", to, port, protocol)

    def may_receive(self, pod: Pod, from_: Pod | str, port: int, protocol: str = "TCP") -> bool:
        """Tell whether `pod` takes a connection from another one, or from an address."""
        return self._is_let(pod, "Ingress", from_, port, protocol)

    def _is_let(self, pod: Pod, kind: str, peer: Pod | str, port: int, protocol: str) -> bool:
        applying = [
            spec
            for namespace, spec in self.policies
            if namespace == pod.namespace
            and kind in spec["policyTypes"]
            and _selects(spec["podSelector"], pod.labels)
        ]
        if not applying:
            return True  # no policy at all: Kubernetes lets everything through
        rules = [(pod.namespace, rule) for spec in applying for rule in spec.get(kind.lower(), ())]
        return any(
            _has_port(rule, port, protocol) and _has_peer(rule, kind, home, peer)
            for home, rule in rules
        )


def _selects(selector: Spec, labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def _has_port(rule: Spec, port: int, protocol: str) -> bool:
    return {"port": port, "protocol": protocol} in rule["ports"]


def _has_peer(rule: Spec, kind: str, home: str, peer: Pod | str) -> bool:
    return any(_is_peer(named, home, peer) for named in rule["to" if kind == "Egress" else "from"])


def _is_peer(named: Spec, home: str, peer: Pod | str) -> bool:
    if "ipBlock" in named:
        address = ip_address(peer if isinstance(peer, str) else peer.address)
        ranges = [named["ipBlock"]["cidr"], *named["ipBlock"].get("except", ())]
        inside, *outside = (address in ip_network(cidr) for cidr in ranges)
        return inside and not any(outside)
    if isinstance(peer, str):
        return False
    if "namespaceSelector" in named:
        labels = {"kubernetes.io/metadata.name": peer.namespace}
        if not _selects(named["namespaceSelector"], labels):
            return False
    elif peer.namespace != home:
        return False
    return _selects(named.get("podSelector", {}), peer.labels)
