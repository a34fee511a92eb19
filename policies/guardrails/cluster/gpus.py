"""GPU nodes: none by default, few at most, and only for those who ask for a GPU."""

from collections.abc import Iterator

from ..declaring import Settings, number, stack_policy
from ..reading import UNKNOWN, at, has_gap, may_be, may_be_within, parts
from ..resources import Resource, Stack
from .plans import NODE_GROUP, NodePlan, node_plans
from .prices import has_gpu

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


@stack_policy("gpu-nodegroup", schema={"maxGpuNodes": number(16, minimum=1)})
def gpu_nodes_are_kept_apart(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """GPU nodes start from zero, end at a limit, and take only what asks for a GPU."""
    for plan in node_plans(stack):
        if plan.is_for_gpus or any(map(has_gpu, plan.instance_types)):
            for advice in (*_faults(plan, settings["maxGpuNodes"]), *_tag_faults(stack, plan)):
                yield plan.resource, advice


def _faults(plan: NodePlan, most: float) -> Iterator[str]:
    if not (has_gap(plan.taints) or any(map(_keeps_others_away, parts(plan.taints)))):
        yield f"add the taint {_GPU} with effect NO_SCHEDULE"
    if at(plan.labels, _GPU_LABEL) is None:
        yield f"add the label {_GPU_LABEL}"
    if not may_be(plan.least, [0]):
        yield "set scaling_config.min_size to 0"
    if not all(may_be_within(plan.most(kind), 0, most) for kind in plan.instance_types or [""]):
        yield f"let it have {most:g} nodes at most (scaling_config.max_size, or spec.limits)"


def _keeps_others_away(taint: object) -> bool:
    is_effective = may_be(at(taint, "effect"), ["NO_SCHEDULE", "NoSchedule"])
    return is_effective and may_be(at(taint, "key"), [_GPU])


def _tag_faults(stack: Stack, plan: NodePlan) -> Iterator[str]:
    if plan.resource.type != NODE_GROUP:
        return
    # The group has a name of its own among its outputs; what was made of it is tagged.
    tags = stack.referring_to(plan.resource, [_TAG], "autoscalingGroupName")
    keys = [tag.at("tag", "key") for tag in tags]
    missing = [wanted for wanted in _AUTOSCALER_TAGS if wanted not in keys]
    if missing and UNKNOWN not in keys:
        yield f"add autoscaling Tags to its group: {', '.join(missing)}"
