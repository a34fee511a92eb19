"""Dashboard, alarms and logs of the whole program."""

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.components.observability.deployment_alarms import METRICS_OF_A_DEPLOYMENT
from infra.components.observability.stack_alarms import METRICS_OF_A_STACK
from infra.program import declare as declare_stack
from infra.settings.observability_settings import AlarmSettings, ObservabilitySettings
from infra.settings.stack_settings import StackSettings
from tests.infra.observability.measured import in_alarms, in_dashboards, is_measured, widgets
from tests.infra.recording import Declared, record

ALARM = "cloudwatch/metricAlarm:MetricAlarm"
NOTHING = ObservabilitySettings(dashboard=False, alarms=AlarmSettings(watch_deployments=False))


@pytest.fixture(scope="module")
def quiet(settings: StackSettings, artifacts: Artifacts) -> Declared:
    """The example, with as little to look at as there can be."""
    wished = settings.model_copy(update={"observability": NOTHING})
    return record(lambda: declare_stack(wished, artifacts))


def test_every_metric_that_is_looked_at_is_measured(stack: Declared) -> None:
    looked_at = [*in_alarms(stack), *in_dashboards(stack)]

    assert len(looked_at) > 50
    assert [named for named in looked_at if not is_measured(named)] == []


def test_what_is_looked_at_exists(stack: Declared) -> None:
    queues = {queue.outputs["url"].rpartition("/")[2] for queue in stack.of_type("sqs/queue:Queue")}
    topics = {topic.outputs["arn"].rpartition(":")[2] for topic in stack.of_type("sns/topic:Topic")}
    functions = {function.outputs["name"] for function in stack.of_type(":Function")}
    (api,) = stack.of_type("apigateway/restApi:RestApi")
    there = {
        "QueueName": queues,
        "TopicName": topics,
        "FunctionName": functions,
        "ApiName": {api.outputs["name"]},
        "Stage": {"live"},
        "service": {"authorizer", "intake", "status", "sweeper", "webhooks"},
    }

    for named in [*in_alarms(stack), *in_dashboards(stack)]:
        for dimension, value in named.dimensions.items():
            assert value in there[dimension], named


def test_functions_count_where_dashboard_and_alarms_look(stack: Declared) -> None:
    namespaces = {
        function.inputs["environment"]["variables"]["POWERTOOLS_METRICS_NAMESPACE"]
        for function in stack.of_type(":Function")
    }
    ours = {
        named.namespace
        for named in [*in_alarms(stack), *in_dashboards(stack)]
        if not named.namespace.startswith("AWS/")
    }

    assert namespaces == ours == {"Penstock/test"}


def test_every_deployment_is_watched(stack: Declared, settings: StackSettings) -> None:
    watched = {
        alarm.name.removeprefix("alarms-").removesuffix("-no-worker")
        for alarm in stack.of_type(ALARM)
        if alarm.name.endswith("-no-worker")
    }
    titles = {w["properties"].get("markdown", "") for w in widgets(stack)}

    assert watched == {
        f"{model}-{name}" for model, given in settings.models.items() for name in given.deployments
    }
    assert {f"## {deployment_id}" for deployment_id in watched} <= titles


def test_what_alarms_cost_is_known(stack: Declared, settings: StackSettings) -> None:
    looked_at = len(list(in_alarms(stack)))

    assert looked_at == METRICS_OF_A_STACK + METRICS_OF_A_DEPLOYMENT * len(settings.deployments)


def test_a_stack_may_do_without_dashboard_and_alarms_of_deployments(quiet: Declared) -> None:
    assert quiet.of_type("cloudwatch/dashboard:Dashboard") == []
    assert len(list(in_alarms(quiet))) == METRICS_OF_A_STACK


def test_functions_and_api_write_to_logs_that_are_kept_for_a_time(stack: Declared) -> None:
    kept = {
        group.outputs["name"]: group.inputs["retentionInDays"]
        for group in stack.of_type("cloudwatch/logGroup:LogGroup")
    }
    arns = {group.outputs["arn"] for group in stack.of_type("cloudwatch/logGroup:LogGroup")}

    for function in stack.of_type(":Function"):
        assert kept[function.inputs["loggingConfig"]["logGroup"]] == 30
    (stage,) = stack.of_type("apigateway/stage:Stage")
    assert stage.inputs["accessLogSettings"]["destinationArn"] in arns
