"""Metrics of functions, as CloudWatch reads them from the log."""

import json

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.telemetry import telemetry, traceparent
from functions.webhooks.service import Verdict
from penstock.contracts.observability.metric_names import FunctionMetric, metrics_namespace
from penstock.contracts.observability.trace_context import XRAY_VARIABLE
from penstock.contracts.request import RequestState


def test_a_function_counts_in_the_namespace_of_its_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", metrics_namespace("prod"))
    counted = telemetry("webhooks")

    @counted.metrics.log_metrics
    def handle(_event: object, _context: LambdaContext) -> None:
        counted.count(FunctionMetric.WEBHOOKS_DELIVERED)

    handle({}, LambdaContext())
    record = json.loads(capsys.readouterr().out)

    (directive,) = record["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Penstock/prod"
    assert directive["Dimensions"] == [["service"]]
    assert record["service"] == "webhooks"
    assert record["WebhooksDelivered"] == [1.0]


@pytest.mark.parametrize("verdict", Verdict)
def test_whatever_becomes_of_a_webhook_has_a_metric(verdict: Verdict) -> None:
    assert FunctionMetric.of_webhook(verdict) in FunctionMetric


@pytest.mark.parametrize("state", [state for state in RequestState if state.is_terminal])
def test_however_a_request_is_swept_there_is_a_metric(state: RequestState) -> None:
    assert FunctionMetric.of_swept(state) in FunctionMetric


def test_the_trace_of_an_invocation_goes_on_as_the_w3c_writes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(XRAY_VARIABLE, raising=False)
    assert traceparent() is None

    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    monkeypatch.setenv(XRAY_VARIABLE, header)
    assert traceparent() == "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
