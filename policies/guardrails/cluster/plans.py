"""The nodes that may be started: by a managed group, or by a NodePool of Karpenter."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..reading import UNKNOWN, as_number, at, has_gap, parts
from ..resources import Resource, Stack
from .prices import shape_of

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
NODE_POOL = "kubernetes:karpenter.sh/v1:NodePool"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"
_GPU_REQUIREMENT = "karpenter.k8s.aws/instance-gpu"
_LIMITS = {"cpu": "vcpu", "nvidia.com/gpu": "gpu_count"}
"""What a NodePool is limited by, and how much of it a machine has."""


@dataclass(frozen=True, kw_only=True)
class NodePlan:
    """Nodes of one kind that may be started. What nobody knows yet is `UNKNOWN`."""

    resource: Resource
    instance_types: list[str]
    """Those that are known."""

    may_have_more_types: bool
    labels: Any
    taints: Any
    least: Any
    most: Callable[[str], Any]
    """How many nodes of an instance type there may be; None without a limit."""

    is_for_gpus: bool = False
    """Whether it says so beside its instance types."""


def node_plans(stack: Stack) -> Iterator[NodePlan]:
    """Yield what every managed group and every NodePool may start."""
    for group in stack.of(NODE_GROUP):
        yield _of_group(stack, group)
    for pool in stack.of(NODE_POOL):
        yield _of_pool(pool)


def pool_types(pool: Resource) -> Any:  # noqa: ANN401 - a list, or not known
    """Return the instance types that a NodePool names; None if it names none."""
    requirements = pool.at("spec", "template", "spec", "requirements")
    named = {at(r, "key"): at(r, "values") for r in parts(requirements)}
    is_open = has_gap(requirements) or UNKNOWN in named
    return named.get(_INSTANCE_TYPE, UNKNOWN if is_open else None)


def _of_group(stack: Stack, group: Resource) -> NodePlan:
    types, ami = _group_types(stack, group), group.at("amiType")
    return NodePlan(
        resource=group,
        instance_types=parts(types),
        may_have_more_types=has_gap(types),
        labels=group.at("labels"),
        taints=group.at("taints"),
        least=group.at("scalingConfig", "minSize"),
        most=lambda _: group.at("scalingConfig", "maxSize"),
        is_for_gpus=isinstance(ami, str) and "NVIDIA" in ami,
    )


def _group_types(stack: Stack, group: Resource) -> Any:  # noqa: ANN401 - a list, or not known
    if own := group.at("instanceTypes"):
        return own
    templates = stack.of(TEMPLATE)
    used = [
        t.at("instanceType") for t in templates if group.may_refer_to(t, "launchTemplate", "id")
    ]
    return [kind for kind in used if kind is not None]


def _of_pool(pool: Resource) -> NodePlan:
    types = pool_types(pool)
    template = pool.at("spec", "template")
    requirements = parts(at(template, "spec", "requirements"))
    return NodePlan(
        resource=pool,
        instance_types=parts(types),
        may_have_more_types=has_gap(types),
        labels=at(template, "metadata", "labels"),
        taints=at(template, "spec", "taints"),
        least=0,
        most=lambda kind: _most_of_pool(pool, kind),
        is_for_gpus=any(str(at(r, "key")).startswith(_GPU_REQUIREMENT) for r in requirements),
    )


def _most_of_pool(pool: Resource, kind: str) -> Any:  # noqa: ANN401 - a number, none, not known
    machine, limits = shape_of(kind), pool.at("spec", "limits")
    given = {key: at(limits, key) for key in _LIMITS if machine.get(_LIMITS[key])}
    most = [
        limit / machine[_LIMITS[key]]
        for key, value in given.items()
        if (limit := as_number(value)) is not None
    ]
    return min(most, default=UNKNOWN if UNKNOWN in given.values() else None)
