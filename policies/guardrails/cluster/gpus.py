"""GPU nodes: none by default, few at most, and what they would cost all at once."""

from collections.abc import Iterator

from ..declaring import Settings, number, stack_policy
from ..reading import UNKNOWN, as_number, at, has_gap, may_be, may_be_within, parts
from ..resources import Resource, Stack
from .nodes import NODE_GROUP
from .prices import has_gpu, usd_per_hour

_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_TAG = "aws:autoscaling/tag:Tag"
_GPU = "nvidia.com/gpu"
_GPU_LABEL = "penstock.dev/gpu"
_TEMPLATE_TAGS = "k8s.io/cluster-autoscaler/node-template"
_AUTOSCALER_TAGS = (
    "k8s.io/cluster-autoscaler/enabled",
    f"{_TEMPLATE_TAGS}/label/{_GPU_LABEL}",
    f"{_TEMPLATE_TAGS}/taint/{_GPU}",
    f"{_TEMPLATE_TAGS}/resources/{_GPU}",
)
"""What cluster-autoscaler must read from the group to start its first node."""


@stack_policy(
    "gpu-nodegroup",
    schema={"maxGpuNodes": number(16, minimum=1)},
)
def gpu_nodes_are_kept_apart(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """GPU nodes start from zero, end at a limit, and take only what asks for a GPU."""
    most = settings["maxGpuNodes"]
    for group in stack.of(NODE_GROUP):
        if not _has_gpus(stack, group):
            continue
        if not _keeps_others_away(group):
            yield group, f"add the taint {_GPU} with effect NO_SCHEDULE"
        if at(group.at("labels") or {}, _GPU_LABEL) is None:
            yield group, f"add the label {_GPU_LABEL}"
        if not may_be(group.at("scalingConfig", "minSize"), [0]):
            yield group, "set scaling_config.min_size to 0"
        if not may_be_within(group.at("scalingConfig", "maxSize"), 0, most):
            yield group, f"set scaling_config.max_size to {most:g} or less"
        if missing := _missing_tags(stack, group):
            yield group, f"add autoscaling Tags to its group: {', '.join(missing)}"


def _has_gpus(stack: Stack, group: Resource) -> bool:
    ami = group.at("amiType")
    is_nvidia = isinstance(ami, str) and "NVIDIA" in ami
    return is_nvidia or any(map(has_gpu, _instance_types(stack, group)))


def _keeps_others_away(group: Resource) -> bool:
    taints = group.at("taints")
    return has_gap(taints) or any(
        may_be(at(taint, "key"), [_GPU]) and may_be(at(taint, "effect"), ["NO_SCHEDULE"])
        for taint in parts(taints)
    )


def _missing_tags(stack: Stack, group: Resource) -> list[str]:
    # The group has a name of its own among its outputs; what was made of it is tagged.
    tags = stack.referring_to(group, [_TAG], "autoscalingGroupName")
    keys = [tag.at("tag", "key") for tag in tags]
    return [] if UNKNOWN in keys else [wanted for wanted in _AUTOSCALER_TAGS if wanted not in keys]


@stack_policy(
    "cost-guard",
    schema={
        "maxHourlyUsd": number(100, minimum=0),
        "prices": {
            "type": "object",
            "additionalProperties": {"type": "number"},
            "default": {},
            "description": "USD per hour by instance type, before data/prices.json",
        },
    },
)
def cost_is_bounded(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """All nodes at once stay below the most that an hour may cost."""
    most = settings["maxHourlyUsd"]
    costs: dict[str, tuple[float, Resource]] = {}
    for group in stack.of(NODE_GROUP):
        kinds = _instance_types(stack, group)
        prices = {kind: usd_per_hour(kind, settings["prices"]) for kind in kinds}
        for kind in (kind for kind, price in prices.items() if price is None):
            yield group, f"give the price of {kind} by config (cost-guard.prices)"
        # Spot is counted at the full price: a bound must hold on the worst day.
        dearest = max((price for price in prices.values() if price is not None), default=0.0)
        nodes = as_number(group.at("scalingConfig", "maxSize")) or 0.0
        costs[group.urn] = (dearest * nodes, group)
    total = sum(cost for cost, _ in costs.values())
    if total > most:
        cost, dearest_group = max(costs.values(), key=lambda part: part[0])
        yield (
            dearest_group,
            f"lower its max_size or raise cost-guard.maxHourlyUsd: at its most it costs {cost:.2f}"
            f" USD an hour, and all node groups {total:.2f}, above {most:.2f}",
        )


def _instance_types(stack: Stack, group: Resource) -> list[str]:
    own = parts(group.at("instanceTypes"))
    if own:
        return own
    templates = [t for t in stack.of(_TEMPLATE) if group.may_refer_to(t, "launchTemplate", "id")]
    return [kind for t in templates if isinstance(kind := t.at("instanceType"), str)]
