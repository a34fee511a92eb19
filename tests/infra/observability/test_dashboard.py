"""The dashboard: everything on it is measured, fits, and is said of the right deployment."""

from dataclasses import replace

import pulumi
import pytest

from infra.components.observability.dashboard import MOST_DEPLOYMENTS, Dashboard, DashboardArgs
from infra.components.observability.deployment_row import WatchedDeployment
from infra.components.observability.metric import GPU_UTILISATION
from penstock.contracts.observability.metric_names import WorkerMetric
from tests.infra.observability.measured import (
    AWS,
    Named,
    aws_names,
    in_dashboards,
    is_measured,
    widgets,
)
from tests.infra.recording import ACCOUNT, Declared, record

QUEUES = f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}"


def _url(name: str) -> pulumi.Output[str]:
    return pulumi.Output.from_input(f"{QUEUES}/{name}")


def _watched(deployment_id: str) -> WatchedDeployment:
    return WatchedDeployment(
        deployment_id=deployment_id,
        queue_urls=[_url(f"{deployment_id}-p{lane}") for lane in range(3)],
        dead_letter_queue_url=_url(f"{deployment_id}-dead"),
        has_gpu=True,
        usd_per_worker_hour=1.25,
    )


@pytest.fixture(scope="module")
def page() -> Declared:
    return _page_of(1)


def _page_of(count: int, *, sees_workers: bool = True, has_gpu: bool = True) -> Declared:
    def program() -> Dashboard:
        deployments = [replace(_watched(f"ocr-v{n}"), has_gpu=has_gpu) for n in range(count)]
        args = DashboardArgs(
            stack="dev",
            region="eu-west-1",
            api_name="api-rest",
            stage_name="live",
            succeeded_topic=pulumi.Output.from_input(f"arn:aws:sns:eu-west-1:{ACCOUNT}:succeeded"),
            failed_topic=pulumi.Output.from_input(f"arn:aws:sns:eu-west-1:{ACCOUNT}:failed"),
            webhook_dead_letter_queue_url=_url("webhooks-dead"),
            deployments=deployments,
            sees_workers=sees_workers,
        )
        return Dashboard("dashboard", args)

    return record(program)


def _of(page: Declared, name: str) -> list[Named]:
    return [named for named in in_dashboards(page) if named.name == name]


def test_everything_that_is_drawn_is_measured(page: Declared) -> None:
    assert [named for named in in_dashboards(page) if not is_measured(named)] == []


def test_a_metric_that_nobody_emits_would_be_noticed() -> None:
    assert not is_measured(Named("Penstock/dev", "WebhooksSent", {"service": "webhooks"}))
    assert not is_measured(Named("Penstock/dev", "penstock_in_flight", {"deployment_id": "x"}))
    assert not is_measured(Named("Penstock/dev", WorkerMetric.IN_FLIGHT, {"pod": "x"}))
    assert not is_measured(Named("AWS/SQS", "ApproximateNumberOfMessages", {"QueueName": "x"}))


def test_what_we_take_from_aws_is_what_aws_measures() -> None:
    assert [name for namespace, name in aws_names() if name not in AWS[namespace]] == []


def test_a_deployment_is_shown_by_priority_with_its_workers_and_gpus(page: Declared) -> None:
    depth = _of(page, "ApproximateNumberOfMessagesVisible")
    age = _of(page, "ApproximateAgeOfOldestMessage")
    lanes = {"ocr-v0-p0", "ocr-v0-p1", "ocr-v0-p2"}
    assert {named.dimensions["QueueName"] for named in depth} == lanes | {
        "ocr-v0-dead",
        "webhooks-dead",
    }
    assert {named.dimensions["QueueName"] for named in age} == lanes
    quantiles = [n.dimensions["quantile"] for n in _of(page, WorkerMetric.RECENT_TIME_IN_QUEUE)]
    assert quantiles == ["0.5", "0.95", "0.99"]
    states = {n.dimensions["state"] for n in _of(page, WorkerMetric.ENDED)}
    assert states == {"SUCCEEDED", "FAILED", "EXPIRED", "CANCELED"}
    assert len(_of(page, GPU_UTILISATION)) == 1


def test_a_deployment_without_gpu_has_no_line_for_it() -> None:
    assert _of(_page_of(1, has_gpu=False), GPU_UTILISATION) == []


def test_without_a_collector_nothing_is_drawn_that_only_it_could_bring() -> None:
    drawn = {named.namespace for named in in_dashboards(_page_of(2, sees_workers=False))
             if "service" not in named.dimensions}  # fmt: skip

    assert drawn == set(AWS) - {"AWS/Lambda"}


def test_the_cost_by_the_hour_is_that_of_all_workers(page: Declared) -> None:
    (cost,) = [w for w in widgets(page) if "cost" in w["properties"].get("title", "")]

    *_, formula = cost["properties"]["metrics"]
    assert formula[0]["expression"] == "FILL(w0, 0) / (PERIOD(w0) / 60) * 1.2500"


@pytest.mark.parametrize("count", [1, 20, MOST_DEPLOYMENTS, MOST_DEPLOYMENTS + 5])
def test_the_page_stays_within_what_cloudwatch_draws(count: int) -> None:
    placed = widgets(_page_of(count))

    assert len(placed) <= 500
    lines = [line for w in placed for line in w["properties"].get("metrics", [])]
    assert len(lines) <= 2_500
    assert all(len(line[0].get("expression", "")) <= 1_024 for line in lines
               if isinstance(line[0], dict))  # fmt: skip


def test_widgets_do_not_lie_upon_one_another(page: Declared) -> None:
    fields: set[tuple[int, int]] = set()
    for widget in widgets(page):
        own = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not own & fields
        assert max(x for x, _ in own) < 24
        fields |= own


def test_what_does_not_fit_is_said() -> None:
    texts = [w["properties"].get("markdown", "") for w in widgets(_page_of(MOST_DEPLOYMENTS + 5))]

    assert "5 more deployments do not fit on this page" in texts
