from typing import Any

import pytest

from penstock.autoscaling.rules import CronTrigger, ScalingRules, SqsTrigger
from penstock.contracts.errors import SettingsError


def spec_with(**changes: Any) -> dict[str, Any]:
    queue = {
        "type": "aws-sqs-queue",
        "name": "p0",
        "metadata": {"queueURL": "https://sqs/1/q", "awsRegion": "eu-west-1"},
    }
    modifiers = {"formula": "p0", "target": "1", "metricType": "AverageValue"}
    spec: dict[str, Any] = {
        "scaleTargetRef": {"name": "m-abc"},
        "advanced": {"scalingModifiers": modifiers},
        "triggers": [queue],
    }
    return spec | changes


def test_what_a_spec_leaves_out_is_kedas_and_kubernetes_default() -> None:
    rules = ScalingRules.of(spec_with())

    assert (rules.min_replica_count, rules.max_replica_count) == (0, 100)
    assert (rules.polling_interval, rules.cooldown_period, rules.initial_cooldown_period) == (
        30,
        300,
        0,
    )
    up, down = rules.behavior.scale_up, rules.behavior.scale_down
    assert (up.stabilization_window_seconds, down.stabilization_window_seconds) == (0, 300)
    assert (up.tolerance, down.tolerance) == (0.1, 0.1)
    assert [(p.type, p.value) for p in up.policies] == [("Percent", 100), ("Pods", 4)]
    assert [(p.type, p.value) for p in down.policies] == [("Percent", 100)]


@pytest.mark.parametrize(
    ("metadata", "counted"),
    [
        ({}, ("", "NotVisible")),
        ({"scaleOnInFlight": "false"}, ("",)),
        ({"scaleOnDelayed": "true"}, ("", "NotVisible", "Delayed")),
    ],
)
def test_a_queue_trigger_says_which_messages_count(
    metadata: dict[str, str], counted: tuple[str, ...]
) -> None:
    spec = spec_with()
    spec["triggers"][0]["metadata"] |= metadata

    (trigger,) = ScalingRules.of(spec).triggers

    assert isinstance(trigger, SqsTrigger)
    assert trigger.metadata.queue_url == "https://sqs/1/q"
    assert trigger.attribute_names == tuple(f"ApproximateNumberOfMessages{c}" for c in counted)


def test_a_cron_trigger_says_when_it_keeps_how_many() -> None:
    cron = {
        "type": "cron",
        "name": "warm0",
        "metadata": {
            "timezone": "Europe/London",
            "start": "0 8 * * *",
            "end": "0 18 * * *",
            "desiredReplicas": "2",
        },
    }

    trigger = ScalingRules.of(spec_with(triggers=[*spec_with()["triggers"], cron])).triggers[1]

    assert isinstance(trigger, CronTrigger)
    assert trigger.metadata.desired_replicas == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"idleReplicaCount": 0}, "idleReplicaCount"),
        ({"minReplicaCount": 3, "maxReplicaCount": 2}, "minReplicaCount is above maxReplicaCount"),
        ({"triggers": []}, "triggers"),
        ({"triggers": [{"type": "kafka", "name": "p0", "metadata": {}}]}, "kafka"),
        (
            {
                "advanced": {
                    "scalingModifiers": {
                        "formula": "p0 + p9",
                        "target": "1",
                        "metricType": "AverageValue",
                    }
                }
            },
            "names no trigger: p9",
        ),
        (
            {
                "advanced": {
                    "scalingModifiers": {"formula": "p0", "target": "1", "metricType": "Value"}
                }
            },
            "metricType",
        ),
    ],
)
def test_a_spec_that_cannot_be_followed_is_refused_by_key(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason):
        ScalingRules.of(spec_with(**changes))
