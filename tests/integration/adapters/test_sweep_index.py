"""The sweeper's index holds a row exactly as long as somebody may have to look at it."""

from datetime import UTC, datetime, timedelta

import pytest

from penstock.adapters.aws.clients import client
from penstock.contracts.outcome import Canceled, Failed, Succeeded
from penstock.contracts.request import AsyncRequest
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import A_RESULT, REQUEST_ID, TIMEOUT, a_request, at

pytestmark = pytest.mark.integration


def sweep_at() -> datetime | None:
    """Return when the one row of the index is due."""
    rows = client("dynamodb").scan(TableName="requests", IndexName="sweep")["Items"]
    if not rows:
        return None
    (row,) = rows
    assert row["sweep_shard"]["S"] in set("0123456789")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(row["sweep_at"]["N"]))


@pytest.fixture
def queued(aws_ports: Ports) -> AsyncRequest:
    request = a_request(aws_ports.clock())
    aws_ports.requests.accept(request)
    aws_ports.clock.advance(1)
    return request


@pytest.fixture
def held(aws_ports: Ports, queued: AsyncRequest) -> AsyncRequest:
    return aws_ports.requests.claim(queued.request_id, "worker-1", lease_seconds=30)


def test_a_request_that_nobody_claimed_is_due_at_its_deadline(queued: AsyncRequest) -> None:
    assert sweep_at() == queued.deadline_at


def test_heartbeats_write_the_index_once_a_minute(aws_ports: Ports, queued: AsyncRequest) -> None:
    minute = queued.created_at
    held = aws_ports.requests.claim(REQUEST_ID, "worker-1", lease_seconds=30)
    due = []
    for _ in range(18):
        due.append(sweep_at())
        aws_ports.clock.advance(10)
        aws_ports.requests.renew(held, lease_seconds=30)
    assert (
        due
        == [at(minute, 120)] * 3
        + [at(minute, 180)] * 6
        + [at(minute, 240)] * 6
        + [at(minute, 300)] * 3
    )


def test_asking_a_request_to_stop_does_not_change_when_it_is_due(
    aws_ports: Ports, held: AsyncRequest
) -> None:
    due = sweep_at()
    aws_ports.clock.advance(20)
    aws_ports.requests.cancel(held.request_id, force=True)
    assert sweep_at() == due


def test_a_waiting_retry_is_due_after_a_quarter_of_an_hour(
    aws_ports: Ports, held: AsyncRequest
) -> None:
    aws_ports.requests.release(held, TIMEOUT, counts_as_attempt=True)
    assert sweep_at() == at(aws_ports.clock(), 900)


@pytest.mark.parametrize(
    "outcome", [Succeeded(result=A_RESULT), Failed(fault=TIMEOUT)], ids=["succeeded", "failed"]
)
def test_an_ended_request_is_due_until_it_is_announced(
    aws_ports: Ports, held: AsyncRequest, outcome: Succeeded | Failed
) -> None:
    ended = aws_ports.requests.finish(held, outcome)
    assert sweep_at() == at(aws_ports.clock(), 60)
    aws_ports.requests.mark_notified(ended)
    assert sweep_at() is None


@pytest.mark.usefixtures("queued")
def test_an_expired_request_is_due_until_it_is_announced(aws_ports: Ports) -> None:
    aws_ports.clock.advance(600)
    aws_ports.requests.expire(REQUEST_ID, TIMEOUT)
    assert sweep_at() == at(aws_ports.clock(), 60)


def test_a_request_that_was_given_up_is_due_until_it_is_announced(
    aws_ports: Ports, queued: AsyncRequest
) -> None:
    aws_ports.requests.give_up(queued, TIMEOUT)
    assert sweep_at() == at(aws_ports.clock(), 60)


@pytest.mark.usefixtures("queued")
def test_nobody_looks_at_a_request_canceled_in_the_queue(aws_ports: Ports) -> None:
    aws_ports.requests.cancel(REQUEST_ID)
    assert sweep_at() is None


def test_nobody_looks_at_a_request_that_was_stopped(aws_ports: Ports, held: AsyncRequest) -> None:
    aws_ports.requests.finish(held, Canceled())
    assert sweep_at() is None
