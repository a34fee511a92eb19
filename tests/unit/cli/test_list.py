"""`penstock list`: which of a deployment's requests are shown."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import typer

from penstock.cli.requests.moment import moment
from tests.unit.cli.conftest import CommandLineOf
from tests.unit.client.api import status_body


def page(*request_ids: str, following: str | None = None) -> httpx.Response:
    requests = [status_body("QUEUED", request_id=request_id) for request_id in request_ids]
    return httpx.Response(200, json={"requests": requests, "next": following})


def test_a_list_goes_over_pages_up_to_its_limit(penstock: CommandLineOf) -> None:
    run = penstock(page("r5", "r4", following="p2"), page("r3", "r2", following="p3"))

    done = run("list", "ocr", "--limit", "3", "--json")

    assert done.exit_code == 0
    assert [status["request_id"] for status in json.loads(done.stdout)] == ["r5", "r4", "r3"]
    assert run.connections.api.paths == ["/models/ocr/production/async_requests"] * 2


def test_a_list_is_a_table(penstock: CommandLineOf) -> None:
    done = penstock(page("7f0c2b41d0a94e1b8c55e2a94b7c1f03"))("list", "ocr")

    assert "7f0c2b41d0a94e1b8c55e2a94b7c1f03" in done.stdout
    assert "QUEUED" in done.stdout


def test_every_filter_arrives(penstock: CommandLineOf) -> None:
    run = penstock(page())

    run("list", "ocr", "--deployment", "v2", "--status", "failed", "--since", "2026-01-02T03:04Z")

    (asked,) = run.connections.api.asked
    assert asked.url.path == "/models/ocr/deployment/v2/async_requests"
    assert asked.url.params["status"] == "FAILED"
    since = datetime.fromisoformat(asked.url.params["created_after"])
    assert since == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [("30m", timedelta(minutes=30)), ("12h", timedelta(hours=12)), ("7d", timedelta(days=7))],
)
def test_a_moment_may_be_so_long_ago(text: str, ago: timedelta) -> None:
    before = datetime.now(UTC)

    assert before - ago <= moment(text) <= datetime.now(UTC) - ago


@pytest.mark.parametrize("text", ["2026-01-02", "2026-01-02 03:04", "2026-01-02T03:04:05+01:00"])
def test_a_moment_has_a_zone(text: str) -> None:
    assert moment(text) == datetime.fromisoformat(text).astimezone()
    assert moment(text).tzinfo is not None


def test_a_moment_that_is_none_is_refused_with_examples() -> None:
    with pytest.raises(typer.BadParameter, match="'yesterday' is no time: say 30m, 12h"):
        moment("yesterday")
