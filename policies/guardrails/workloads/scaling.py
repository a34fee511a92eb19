"""Workers are scaled by all their queues, within limits, and survive an outage of the metric."""

import re
from collections.abc import Iterator

from ..declaring import Settings, number, stack_policy
from ..reading import UNKNOWN, at, may_be, may_be_within, parts
from ..resources import Resource, Stack

_SCALED_OBJECT = "kubernetes:keda.sh/v1alpha1:ScaledObject"
_TARGETS = {
    "Deployment": "kubernetes:apps/v1:Deployment",
    "StatefulSet": "kubernetes:apps/v1:StatefulSet",
}
_MODIFIERS = ("spec", "advanced", "scalingModifiers")


@stack_policy(
    "keda-scaledobject",
    schema={"maxReplicas": number(64, minimum=1)},
)
def workers_scale_well(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """Workers follow all their queues, within limits, and survive an outage of the metric."""
    for scaled in stack.of(_SCALED_OBJECT):
        if not _has_target(stack, scaled):
            yield scaled, "point scaleTargetRef at a Deployment of this stack, in its namespace"
        for advice in (*_limit_faults(scaled, settings), *_trigger_faults(scaled)):
            yield scaled, advice


def _has_target(stack: Stack, scaled: Resource) -> bool:
    kind = scaled.at("spec", "scaleTargetRef", "kind")
    wanted = (scaled.at("spec", "scaleTargetRef", "name"), scaled.at("metadata", "namespace"))
    types = _TARGETS.values() if kind is UNKNOWN else [_TARGETS.get(kind or "Deployment", "")]
    return any(
        all(
            UNKNOWN in (a, b) or a == b
            for a, b in zip(
                wanted,
                (target.at("metadata", "name"), target.at("metadata", "namespace")),
                strict=True,
            )
        )
        for target in stack.of(*types)
    )


def _limit_faults(scaled: Resource, settings: Settings) -> Iterator[str]:
    most = settings["maxReplicas"]
    if not may_be_within(scaled.at("spec", "maxReplicaCount"), 1, most):
        yield f"set maxReplicaCount to {most:g} or less"
    if not may_be_within(scaled.at("spec", "fallback", "replicas"), 1, float("inf")):
        yield "set fallback.replicas to 1 or more: an outage of SQS would scale to zero"
    target = scaled.at(*_MODIFIERS, "target")
    if target is not UNKNOWN and not re.fullmatch(r"[1-9]\d*", str(target)):
        yield "set scalingModifiers.target to a whole number: else KEDA silently drops fallback"


def _trigger_faults(scaled: Resource) -> Iterator[str]:
    formula = scaled.at(*_MODIFIERS, "formula")
    named = set(re.findall(r"[A-Za-z_]\w*", formula)) if isinstance(formula, str) else set()
    for trigger in parts(scaled.at("spec", "triggers")):
        name, kind = at(trigger, "name"), at(trigger, "type")
        if UNKNOWN not in (name, formula) and name not in named:
            yield f"name trigger {name} in scalingModifiers.formula: the highest metric wins else"
        in_flight = at(trigger, "metadata", "scaleOnInFlight")
        if (
            kind == "aws-sqs-queue"
            and may_be(in_flight, ["false", False])
            and in_flight is not UNKNOWN
        ):
            yield f"take scaleOnInFlight=false from trigger {name}: it holds busy workers up"
