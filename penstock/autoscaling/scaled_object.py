"""The KEDA ScaledObject of a deployment.

Each number follows from a fact about KEDA 2.20 or the HPA that is told beside it.
"""

from collections.abc import Sequence
from typing import Any

from penstock.autoscaling.settings import AutoscalingSettings, Schedule

_LANES = ("p0", "p1", "p2")
_LONGEST_POLICY_PERIOD_SECONDS = 1_800  # Kubernetes' limit


def scaled_object(
    settings: AutoscalingSettings,
    *,
    target: str,
    queue_urls: tuple[Any, Any, Any],
    region: Any,  # noqa: ANN401 - may be an output that Pulumi does not know yet, as may the URLs
    authentication: str,
) -> dict[str, Any]:
    """Return the `spec` of the ScaledObject, with the keys of KEDA's CRD.

    Args:
        settings: how the deployment scales.
        target: name of the Kubernetes Deployment to scale.
        queue_urls: the deployment's queues in order of priority.
        region: the AWS region of the queues.
        authentication: name of the ClusterTriggerAuthentication to read them with.
    """
    warm = {f"warm{index}": schedule for index, schedule in enumerate(settings.schedules)}
    authentication_ref = {"name": authentication, "kind": "ClusterTriggerAuthentication"}
    lanes = zip(_LANES, queue_urls, strict=True)
    return {
        "scaleTargetRef": {"name": target},
        "pollingInterval": 10,
        "cooldownPeriod": settings.scale_down_delay,
        "initialCooldownPeriod": settings.scale_down_delay,
        "minReplicaCount": settings.min_replica,
        "maxReplicaCount": settings.max_replica,
        "fallback": _fallback(settings),
        "advanced": {
            "restoreToOriginalReplicaCount": False,
            "scalingModifiers": _modifiers(settings, tuple(warm)),
            "horizontalPodAutoscalerConfig": {"behavior": _behavior(settings)},
        },
        "triggers": [
            *(_queue_trigger(name, url, region, authentication_ref) for name, url in lanes),
            *(_cron_trigger(name, schedule) for name, schedule in warm.items()),
        ],
    }


def _fallback(settings: AutoscalingSettings) -> dict[str, Any]:
    return {
        "failureThreshold": 3,
        # With 0 an outage of SQS would end in scale-to-zero after the cooldown.
        "replicas": max(1, settings.min_replica),
        # KEDA takes what it falls back to for demand: any other kind would wake, in an outage of
        # SQS, whatever is asleep.
        "behavior": "currentReplicas",
    }


def _modifiers(settings: AutoscalingSettings, warm: Sequence[str]) -> dict[str, Any]:
    return {
        "formula": _formula(settings, warm),
        # KEDA reads it as an integer and silently drops the fallback if it is not one, so every
        # division is in the formula.
        "target": "1",
        "activationTarget": "0",
        "metricType": "AverageValue",
    }


def _formula(settings: AutoscalingSettings, warm: Sequence[str]) -> str:
    # Whole numbers only: 21 / 0.7 is a little more than 30, and its ceiling a replica too many.
    percent = settings.concurrency_target * settings.target_utilization_percentage
    wanted = f"ceil(({' + '.join(_LANES)}) * 100 / {percent})"
    return f"max({', '.join((wanted, *warm))})" if warm else wanted


def _behavior(settings: AutoscalingSettings) -> dict[str, Any]:
    period = min(max(settings.scale_down_delay, 1), _LONGEST_POLICY_PERIOD_SECONDS)
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": settings.autoscaling_window,
            # By default 10 %: with 20 busy replicas the 21st request would start none.
            "tolerance": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": 15},
                {"type": "Pods", "value": 4, "periodSeconds": 15},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": settings.scale_down_delay,
            "selectPolicy": "Max",
            "policies": [
                {
                    "type": "Percent",
                    "value": settings.max_scale_down_rate,
                    "periodSeconds": period,
                }
            ],
        },
    }


def _queue_trigger(
    name: str,
    queue_url: Any,  # noqa: ANN401 - see scaled_object
    region: Any,  # noqa: ANN401 - see scaled_object
    authentication_ref: dict[str, str],
) -> dict[str, Any]:
    return {
        "type": "aws-sqs-queue",
        "name": name,
        "metadata": {
            "queueURL": queue_url,
            "queueLength": "1",
            "awsRegion": region,
            # What is being worked on is invisible in the queue, and must hold its replica up.
            "scaleOnInFlight": "true",
        },
        "authenticationRef": authentication_ref,
    }


def _cron_trigger(name: str, schedule: Schedule) -> dict[str, Any]:
    return {
        "type": "cron",
        "name": name,
        "metadata": {
            "timezone": schedule.timezone,
            "start": schedule.start,
            "end": schedule.end,
            "desiredReplicas": str(schedule.desired_replicas),
        },
    }
