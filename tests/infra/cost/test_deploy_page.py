"""What `docs/deploy.md` says that the examples cost, and the commands that it gives."""

import re

import pytest

from infra.artifacts.workspace import ROOT
from infra.cost.estimate import Estimate, estimate
from infra.settings.stack_settings import StackSettings

PAGE = (ROOT / "docs" / "deploy.md").read_text()


def _estimate(name: str) -> Estimate:
    settings = StackSettings.read(ROOT / f"Pulumi.{name}.yaml.example")
    return estimate(settings, service_seconds=2)


def _column(number: int) -> list[float]:
    """Return what a column of the table of costs holds, its sum last."""
    rows = (line.split("|") for line in PAGE.splitlines() if line.count("|") == 4)
    cells = (row[number].strip().strip("*") for row in rows)
    return [float(cell) for cell in cells if re.fullmatch(r"\d+\.\d\d", cell)]


@pytest.mark.parametrize(("number", "name"), [(2, "dev"), (3, "prod")])
def test_an_examples_monthly_floor_is_what_the_command_says(number: int, name: str) -> None:
    *parts, total = _column(number)

    assert total == pytest.approx(_estimate(name).floor_usd_per_month, abs=0.01)
    assert sum(parts) == pytest.approx(total, abs=0.03)


def test_the_prices_of_replicas_and_requests_are_those_of_the_command() -> None:
    costs = {(c.deployment, c.capacity): c for c in _estimate("prod").deployments}
    told = " ".join(PAGE.split())

    def hour(deployment: str, capacity: str) -> str:
        return f"{costs[deployment, capacity].usd_per_replica_hour:.2f}"

    l4, l40s = [(hour(d, "spot"), hour(d, "on-demand")) for d in ("ocr-v1", "chat-v1")]
    assert f"an L4 replica is {l4[0]} USD an hour on spot and {l4[1]} on demand" in told
    assert f"an L40S {l40s[0]} and {l40s[1]}" in told
    requests = [f"{costs['ocr-v1', c].usd_per_1000_requests:.2f}" for c in ("spot", "on-demand")]
    assert f"1,000 requests of 2 s each are {requests[0]} and {requests[1]} USD on an L4" in told


def test_it_is_plain_that_none_of_it_was_run() -> None:
    assert "**None of this was run on AWS.**" in PAGE
    assert "(status.md)" in PAGE


@pytest.mark.parametrize("file", sorted(set(re.findall(r"\]\(([\w./-]+\.(?:md|example))", PAGE))))
def test_what_it_links_to_is_there(file: str) -> None:
    assert (ROOT / "docs" / file).resolve().is_file()
