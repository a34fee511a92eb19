"""What all nodes would cost at once."""

from collections.abc import Iterator, Mapping

from ..declaring import Settings, number, stack_policy
from ..reading import UNKNOWN, as_number
from ..resources import Resource, Stack
from .plans import NodePlan, node_plans
from .prices import usd_per_hour


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
    most, costs = settings["maxHourlyUsd"], []
    for plan in node_plans(stack):
        yield from ((plan.resource, advice) for advice in _gaps(plan, settings["prices"]))
        costs.append((_cost(plan, settings["prices"]), plan.resource))
    total = sum(cost for cost, _ in costs)
    if total > most:
        cost, dearest = max(costs, key=lambda part: part[0])
        yield (
            dearest,
            f"let it have fewer nodes, or raise cost-guard.maxHourlyUsd: at its most it costs"
            f" {cost:.2f} USD an hour, and all nodes {total:.2f}, above {most:.2f}",
        )


def _gaps(plan: NodePlan, prices: Mapping[str, float]) -> Iterator[str]:
    if not (plan.instance_types or plan.may_have_more_types):
        yield "name its instance types: nobody knows what it may cost"
    for kind in plan.instance_types:
        if usd_per_hour(kind, prices) is None:
            yield f"give the price of {kind} by config (cost-guard.prices)"
        if plan.most(kind) is None:
            yield "limit its nodes: scaling_config.max_size, or spec.limits.cpu of a NodePool"


def _cost(plan: NodePlan, prices: Mapping[str, float]) -> float:
    # Spot is counted at the full price: a bound must hold on the worst day.
    return max(
        (
            (usd_per_hour(kind, prices) or 0.0) * (as_number(most) or 0.0)
            for kind in plan.instance_types
            if (most := plan.most(kind)) is not UNKNOWN
        ),
        default=0.0,
    )
