from typing import Any

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from penstock.autoscaling.formula import Formula
from penstock.autoscaling.rules import ScalingRules
from penstock.autoscaling.scaled_object import scaled_object
from penstock.autoscaling.settings import AutoscalingSettings, Schedule
from tests.infra.custom_resources import check_with_keda

QUEUES = tuple(f"https://sqs.eu-west-1.amazonaws.com/123456789012/m-p{lane}" for lane in range(3))
WEEKDAYS = Schedule(
    timezone="Europe/London", start="0 8 * * 1-5", end="0 18 * * 1-5", desired_replicas=2
)


def spec_of(settings: AutoscalingSettings) -> dict[str, Any]:
    p0, p1, p2 = QUEUES
    return scaled_object(
        settings,
        target="m-abc",
        queue_urls=(p0, p1, p2),
        region="eu-west-1",
        authentication="aws",
    )


settings = st.builds(
    AutoscalingSettings,
    min_replica=st.integers(0, 5),
    max_replica=st.integers(5, 100),
    autoscaling_window=st.just(0) | st.integers(10, 3_600),
    scale_down_delay=st.integers(0, 3_600),
    concurrency_target=st.integers(1, 64),
    target_utilization_percentage=st.integers(1, 100),
    max_scale_down_rate=st.integers(1, 50),
    schedules=st.sampled_from([(), (WEEKDAYS,), (WEEKDAYS, WEEKDAYS)]),
)


def test_the_spec_is_the_one_that_was_checked_against_keda() -> None:
    spec = spec_of(AutoscalingSettings(max_replica=4, concurrency_target=2))

    assert {key: spec[key] for key in spec if key != "triggers"} == {
        "scaleTargetRef": {"name": "m-abc"},
        "pollingInterval": 10,
        "cooldownPeriod": 900,
        "initialCooldownPeriod": 900,
        "minReplicaCount": 0,
        "maxReplicaCount": 4,
        "fallback": {
            "failureThreshold": 3,
            "replicas": 1,
            "behavior": "currentReplicas",
        },
        "advanced": {
            "restoreToOriginalReplicaCount": False,
            "scalingModifiers": {
                "formula": "ceil((p0 + p1 + p2) * 100 / 200)",
                "target": "1",
                "activationTarget": "0",
                "metricType": "AverageValue",
            },
            "horizontalPodAutoscalerConfig": {
                "behavior": {
                    "scaleUp": {
                        "stabilizationWindowSeconds": 0,
                        "tolerance": 0,
                        "selectPolicy": "Max",
                        "policies": [
                            {"type": "Percent", "value": 100, "periodSeconds": 15},
                            {"type": "Pods", "value": 4, "periodSeconds": 15},
                        ],
                    },
                    "scaleDown": {
                        "stabilizationWindowSeconds": 900,
                        "selectPolicy": "Max",
                        "policies": [{"type": "Percent", "value": 50, "periodSeconds": 900}],
                    },
                }
            },
        },
    }


def test_each_lane_is_a_trigger_that_counts_what_is_in_flight() -> None:
    triggers = spec_of(AutoscalingSettings())["triggers"]

    assert triggers == [
        {
            "type": "aws-sqs-queue",
            "name": name,
            "metadata": {
                "queueURL": url,
                "queueLength": "1",
                "awsRegion": "eu-west-1",
                "scaleOnInFlight": "true",
            },
            "authenticationRef": {"name": "aws", "kind": "ClusterTriggerAuthentication"},
        }
        for name, url in zip(("p0", "p1", "p2"), QUEUES, strict=True)
    ]


def test_a_value_that_is_not_known_yet_is_passed_on_untouched() -> None:
    unknown = object()

    spec = scaled_object(
        AutoscalingSettings(),
        target="m-abc",
        queue_urls=(unknown, unknown, unknown),
        region=unknown,
        authentication="aws",
    )

    for trigger in spec["triggers"]:
        assert trigger["metadata"]["queueURL"] is unknown
        assert trigger["metadata"]["awsRegion"] is unknown


def test_schedules_are_triggers_that_the_demand_can_only_exceed() -> None:
    spec = spec_of(AutoscalingSettings(max_replica=4, schedules=(WEEKDAYS, WEEKDAYS)))

    formula = spec["advanced"]["scalingModifiers"]["formula"]
    assert formula == "max(ceil((p0 + p1 + p2) * 100 / 100), warm0, warm1)"
    assert spec["triggers"][3] == {
        "type": "cron",
        "name": "warm0",
        "metadata": {
            "timezone": "Europe/London",
            "start": "0 8 * * 1-5",
            "end": "0 18 * * 1-5",
            "desiredReplicas": "2",
        },
    }


def test_an_outage_of_the_queues_keeps_the_least_replicas_and_never_none() -> None:
    assert spec_of(AutoscalingSettings(max_replica=4))["fallback"]["replicas"] == 1
    assert spec_of(AutoscalingSettings(min_replica=3, max_replica=4))["fallback"]["replicas"] == 3


def test_a_delay_longer_than_a_policy_may_last_is_kept_by_the_stabilisation() -> None:
    behavior = spec_of(AutoscalingSettings(scale_down_delay=3_600))["advanced"][
        "horizontalPodAutoscalerConfig"
    ]["behavior"]

    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 3_600
    assert behavior["scaleDown"]["policies"][0]["periodSeconds"] == 1_800


@given(
    waiting=st.integers(0, 10_000),
    concurrency=st.integers(1, 100),
    utilization=st.integers(1, 100),
)
def test_the_formula_wants_no_replica_too_many(
    waiting: int, concurrency: int, utilization: int
) -> None:
    wanting = AutoscalingSettings(
        concurrency_target=concurrency, target_utilization_percentage=utilization
    )
    formula = Formula.parse(spec_of(wanting)["advanced"]["scalingModifiers"]["formula"])

    exactly = -(-waiting * 100 // (concurrency * utilization))
    assert formula.value({"p0": waiting, "p1": 0, "p2": 0}) == exactly


@given(settings)
def test_every_spec_can_be_followed(settings: AutoscalingSettings) -> None:
    rules = ScalingRules.of(spec_of(settings))

    assert rules.max_replica_count == settings.max_replica
    assert len(rules.triggers) == 3 + len(settings.schedules)


@hypothesis.settings(deadline=None)  # the first example also reads the schema
@given(settings)
def test_every_spec_satisfies_kedas_schema(settings: AutoscalingSettings) -> None:
    check_with_keda({"kind": "ScaledObject", "spec": spec_of(settings)})
