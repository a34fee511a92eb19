"""Alarms: each goes off for its reason, and says what to do."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from infra.artifacts.workspace import ROOT
from infra.components.observability.alarm_receivers import AlarmReceivers, AlarmReceiversArgs
from infra.components.observability.deployment_alarms import (
    METRICS_OF_A_DEPLOYMENT,
    DeploymentAlarms,
    DeploymentAlarmsArgs,
)
from infra.components.observability.stack_alarms import (
    METRICS_OF_A_STACK,
    StackAlarms,
    StackAlarmsArgs,
)
from infra.settings.model_settings import DeploymentSettings
from infra.settings.observability_settings import AlarmSettings
from infra.settings.stack_settings import StackSettings
from penstock.autoscaling.scaled_object import scaled_object
from tests.infra.conformance import faults
from tests.infra.conftest import Declare
from tests.infra.observability.measured import in_alarms, is_measured
from tests.infra.recording import ACCOUNT, Declared, Registered, record

RECEIVER = f"arn:aws:sns:eu-west-1:{ACCOUNT}:people"
ALARM = "cloudwatch/metricAlarm:MetricAlarm"


def _url(name: str) -> pulumi.Output[str]:
    return pulumi.Output.from_input(f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/{name}")


def _of_stack() -> StackAlarms:
    args = StackAlarmsArgs(
        stack="dev",
        api_name="api-rest",
        stage_name="live",
        sweeper_name="functions-sweeper",
        webhook_dead_letter_queue_url=_url("webhooks-dead"),
        settings=AlarmSettings(),
        receivers=[RECEIVER],
    )
    return StackAlarms("alarms-stack", args)


def _of_deployment(deployment: DeploymentSettings) -> DeploymentAlarms:
    args = DeploymentAlarmsArgs(
        stack="dev",
        deployment_id="ocr-v2",
        deployment=deployment,
        queue_urls=[_url(f"ocr-v2-p{lane}") for lane in range(3)],
        dead_letter_queue_url=_url("ocr-v2-dead"),
        settings=AlarmSettings(oldest_request_minutes=10),
        receivers=[RECEIVER],
    )
    return DeploymentAlarms("alarms-ocr-v2", args)


@pytest.fixture(scope="module")
def deployment(settings: StackSettings) -> DeploymentSettings:
    return settings.models["ocr"].deployments["v2"]


@pytest.fixture(scope="module")
def alarms(deployment: DeploymentSettings) -> Declared:
    """Those of a stack and of one of its deployments."""

    def program() -> None:
        _of_stack()
        _of_deployment(deployment)

    return record(program)


def _expression(alarm: Registered) -> str:
    (expression,) = [q["expression"] for q in alarm.inputs["metricQueries"] if "expression" in q]
    return str(expression)


def _fires(alarm: Registered, **known: float) -> bool:
    """Whether an alarm is in breach for these numbers, with CloudWatch's words in Python."""
    text = re.sub(r"FILL\((\w+), 0\)", r"\1", _expression(alarm))
    text = text.replace("MAX(", "max(").replace(" AND ", " and ")
    text = re.sub(r"\bIF\(", "_if(", text)
    words: dict[str, Any] = {"_if": lambda test, then, other: then if test else other}
    value = eval(text, {"__builtins__": {"max": max}}, words | known)  # noqa: S307 - our own text
    beyond = alarm.inputs["comparisonOperator"] == "GreaterThanThreshold"
    threshold = alarm.inputs["threshold"]
    return bool(value > threshold if beyond else value < threshold)


def _named(alarms: Declared, name: str) -> Registered:
    return alarms.named(name, ALARM)


def _lanes(**sums: float) -> dict[str, float]:
    return {f"{name}{lane}": value if lane == 1 else 0 for name, value in sums.items()
            for lane in range(3)}  # fmt: skip


def test_the_api_alarm_is_about_a_share_of_calls_and_more_than_a_few(alarms: Declared) -> None:
    api = _named(alarms, "alarms-stack-api")

    assert _fires(api, failed=5, calls=499)
    assert not _fires(api, failed=5, calls=501)
    assert not _fires(api, failed=4, calls=4)


def test_a_sweeper_that_fails_or_does_not_run_is_told(alarms: Declared) -> None:
    sweeper = _named(alarms, "alarms-stack-sweeper")

    assert _fires(sweeper, sweeps=0, errors=0)
    assert _fires(sweeper, sweeps=1, errors=1)
    assert not _fires(sweeper, sweeps=1, errors=0)
    assert sweeper.inputs["treatMissingData"] == "breaching"


def test_the_webhook_alarm_is_about_a_share_of_attempts_and_more_than_a_few(
    alarms: Declared,
) -> None:
    webhooks = _named(alarms, "alarms-stack-webhooks")

    assert _fires(webhooks, delivered=14, delayed=4, exhausted=1)
    assert not _fires(webhooks, delivered=15, delayed=4, exhausted=1)
    assert not _fires(webhooks, delivered=0, delayed=4, exhausted=0)


def test_one_letter_is_enough(alarms: Declared) -> None:
    for name in ("alarms-stack-lost-webhooks", "alarms-ocr-v2-dead-letters"):
        assert _fires(_named(alarms, name), lying=1)
        assert not _fires(_named(alarms, name), lying=0)


def test_a_request_may_be_as_old_as_one_that_runs(
    alarms: Declared, deployment: DeploymentSettings
) -> None:
    oldest = _named(alarms, "alarms-ocr-v2-oldest-request")
    limit = 600 + deployment.predict_timeout_seconds

    assert _fires(oldest, **_lanes(age=limit + 1))
    assert not _fires(oldest, **_lanes(age=limit))


def test_workers_are_too_few_when_more_is_there_than_they_run_and_some_of_it_waits(
    alarms: Declared, deployment: DeploymentSettings
) -> None:
    at_most = _named(alarms, "alarms-ocr-v2-at-most-workers")
    slots = deployment.autoscaling.max_replica * deployment.autoscaling.concurrency_target

    assert _fires(at_most, **_lanes(waiting=1, held=slots))
    assert _fires(at_most, **_lanes(waiting=slots, held=1))
    assert not _fires(at_most, **_lanes(waiting=1, held=slots - 1))


def test_what_is_fetched_ahead_is_not_taken_for_work_that_waits(
    alarms: Declared, deployment: DeploymentSettings
) -> None:
    at_most = _named(alarms, "alarms-ocr-v2-at-most-workers")
    slots = deployment.autoscaling.max_replica * deployment.autoscaling.concurrency_target

    assert not _fires(at_most, **_lanes(waiting=0, held=10 * slots))


def test_workers_at_their_most_are_told_by_what_the_autoscaler_goes_by(
    alarms: Declared, deployment: DeploymentSettings
) -> None:
    asked_for = scaled_object(
        deployment.autoscaling,
        target="ocr-v2",
        queue_urls=("p0", "p1", "p2"),
        region="eu-west-1",
        authentication="queues",
    )
    queues = [each for each in asked_for["triggers"] if each["type"] == "aws-sqs-queue"]
    at_most = _named(alarms, "alarms-ocr-v2-at-most-workers")
    seen = Counter(q["metric"]["metricName"] for q in at_most.inputs["metricQueries"][:-1])

    assert {each["metadata"]["scaleOnInFlight"] for each in queues} == {"true"}
    assert seen == {
        "ApproximateNumberOfMessagesVisible": len(queues),
        "ApproximateNumberOfMessagesNotVisible": len(queues),
    }


def test_nobody_works_only_while_requests_wait_and_none_is_held(alarms: Declared) -> None:
    nobody = _named(alarms, "alarms-ocr-v2-no-worker")

    assert _fires(nobody, **_lanes(waiting=1, held=0))
    assert not _fires(nobody, **_lanes(waiting=1, held=1))
    assert not _fires(nobody, **_lanes(waiting=0, held=0))


def test_every_input_has_the_type_that_its_provider_wants(alarms: Declared) -> None:
    assert [fault for alarm in alarms.of_type(ALARM) for fault in faults(alarm)] == []


def test_an_alarm_looks_at_metrics_that_are_measured(alarms: Declared) -> None:
    assert [named for named in in_alarms(alarms) if not is_measured(named)] == []


def test_an_expression_uses_every_metric_and_no_other(alarms: Declared) -> None:
    for alarm in alarms.of_type(ALARM):
        ids = {query["id"] for query in alarm.inputs["metricQueries"]} - {"compared"}
        used = set(re.findall(r"\b[a-z]+\d?\b", _expression(alarm)))
        assert used == ids, alarm.name


def test_an_alarm_is_evaluated_over_a_day_at_most(alarms: Declared) -> None:
    for alarm in alarms.of_type(ALARM):
        periods = {q["metric"]["period"] for q in alarm.inputs["metricQueries"] if "metric" in q}
        (period,) = periods
        assert period * alarm.inputs["evaluationPeriods"] <= 86_400


def test_what_alarms_cost_is_what_they_look_at(alarms: Declared) -> None:
    def looked_at(prefix: str) -> int:
        mine = [alarm for alarm in alarms.of_type(ALARM) if alarm.name.startswith(prefix)]
        return sum("metric" in query for alarm in mine for query in alarm.inputs["metricQueries"])

    assert looked_at("alarms-stack") == METRICS_OF_A_STACK
    assert looked_at("alarms-ocr-v2") == METRICS_OF_A_DEPLOYMENT


def _anchors() -> Iterator[str]:
    """Yield the anchors of the operators' page, as code hosts make them of its headings."""
    for line in (ROOT / "docs/operations.md").read_text().splitlines():
        if line.startswith("#"):
            words = re.sub(r"[^\w\s-]", "", line.lstrip("# ").lower())
            yield re.sub(r"\s", "-", words.strip())


def test_an_alarm_says_what_to_do_and_where_more_is_said(alarms: Declared) -> None:
    anchors = set(_anchors())

    for alarm in alarms.of_type(ALARM):
        text, _, anchor = alarm.inputs["alarmDescription"].partition(
            " Runbook: docs/operations.md#"
        )
        assert anchor in anchors, f"{alarm.name}: docs/operations.md has no heading {anchor!r}"
        assert "dev" in text
        assert len(alarm.inputs["alarmDescription"]) <= 1_024


def test_every_runbook_belongs_to_an_alarm(alarms: Declared) -> None:
    wanted = {alarm.inputs["alarmDescription"].partition("#")[2] for alarm in alarms.of_type(ALARM)}

    assert {anchor for anchor in _anchors() if anchor.startswith("alarm-")} == wanted


def test_whoever_is_told_hears_the_end_as_well(alarms: Declared) -> None:
    for alarm in alarms.of_type(ALARM):
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [RECEIVER]


def _receivers(settings: AlarmSettings, key_arn: str | None = None) -> AlarmReceivers:
    args = AlarmReceiversArgs(account_id=ACCOUNT, key_arn=key_arn, settings=settings)
    return AlarmReceivers("alarms", args)


def test_by_default_nobody_is_told_and_nothing_is_made(declare: Declare) -> None:
    declared = declare(lambda: _receivers(AlarmSettings()))

    assert [r for r in declared if not r.is_component] == []


def test_addresses_hear_through_a_topic_that_only_alarms_of_this_account_use(
    declare: Declare,
) -> None:
    settings = AlarmSettings(emails=("a@you.example", "b@you.example"))
    declared = declare(lambda: _receivers(settings))

    endpoints = {s.inputs["endpoint"] for s in declared.of_type(":TopicSubscription")}
    assert endpoints == {"a@you.example", "b@you.example"}
    (policy,) = declared.of_type(":TopicPolicy")
    (granted,) = [s for s in policy.policy() if s["Effect"] == "Allow"]
    assert granted["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert granted["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_topic_lies_under_a_key_that_alarms_may_use_or_under_none(declare: Declare) -> None:
    settings = AlarmSettings(emails=("a@you.example",))

    for key_arn in ("arn:aws:kms:eu-west-1:123456789012:key/own", None):
        (topic,) = declare(lambda: _receivers(settings, key_arn)).of_type(":Topic")  # noqa: B023 - called at once
        assert topic.inputs.get("kmsMasterKeyId") == key_arn


def test_a_topic_that_is_there_is_told_as_it_is(declare: Declare) -> None:
    declared = declare(lambda: _receivers(AlarmSettings(topic_arn=RECEIVER)))

    (receivers,) = declared.of_type(":AlarmReceivers")
    assert declared.outputs_of_components[receivers.urn]["topic_arns"] == [RECEIVER]
