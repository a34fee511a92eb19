"""Requests that the model server did not take, whatever the family."""

import pytest

from penstock.contracts.errors import ClaimRefusedError
from penstock.contracts.outcome import Failed, ServerRefusal, Succeeded
from penstock.contracts.request import AsyncRequest, RequestState
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import (
    A_FAILURE,
    A_RESULT,
    PREDICT_ERROR,
    REQUEST_ID,
    TIMEOUT,
    a_request,
    at,
)

BUSY = ServerRefusal.of(503, "text/plain", b"engine \xff dead", times=3)


def claimed(ports: Ports) -> AsyncRequest:
    return ports.requests.claim(REQUEST_ID, "worker-1", lease_seconds=30)


@pytest.fixture
def refused(ports: Ports) -> AsyncRequest:
    """A request of ten minutes that was refused after one of them."""
    ports.requests.accept(a_request(ports.clock()))
    ports.clock.advance(60)
    return ports.requests.release(claimed(ports), None, counts_as_attempt=False, refusal=BUSY)


def test_a_refused_request_is_queued_without_having_lost_an_attempt(
    ports: Ports, refused: AsyncRequest
) -> None:
    assert (refused.state, refused.attempts_left) == (RequestState.QUEUED, 3)
    assert refused.refusal == BUSY
    assert ports.requests.find(REQUEST_ID) == refused
    assert refused.refusal.body == b"engine \xff dead"


def test_a_refused_request_may_be_claimed_until_its_deadline_and_no_longer(
    ports: Ports, refused: AsyncRequest
) -> None:
    ports.clock.advance(539.999999)
    held = claimed(ports)
    assert held.refusal == BUSY
    ports.requests.release(held, None, counts_as_attempt=False, refusal=BUSY)
    ports.clock.advance(0.000001)
    with pytest.raises(ClaimRefusedError) as refusal:
        claimed(ports)
    assert refusal.value.current is not None
    assert refusal.value.current.is_past_deadline(ports.clock())


def test_a_refused_request_is_due_at_its_deadline(ports: Ports, refused: AsyncRequest) -> None:
    ports.clock.advance(539)
    assert list(ports.requests.due(10)) == []
    ports.clock.advance(1)
    assert list(ports.requests.due(10)) == [refused]


def test_a_refused_request_fails_at_its_deadline_and_keeps_what_the_server_said(
    ports: Ports, refused: AsyncRequest
) -> None:
    ports.clock.advance(540)
    with pytest.raises(ClaimRefusedError):
        ports.requests.expire(REQUEST_ID, BUSY.fault)

    ended = ports.requests.give_up(refused, BUSY.fault)
    assert (ended.state, ended.faults, ended.refusal) == (RequestState.FAILED, (BUSY.fault,), BUSY)
    assert ports.requests.find(REQUEST_ID) == ended


def test_a_drain_leaves_the_deadline_of_a_refused_request_as_it_is(
    ports: Ports, refused: AsyncRequest
) -> None:
    waiting = ports.requests.release(claimed(ports), None, counts_as_attempt=False)
    assert waiting.refusal == BUSY
    assert waiting.is_past_deadline(at(ports.clock(), 540))


def test_an_attempt_that_counts_stops_the_clock_of_a_refused_request(
    ports: Ports, refused: AsyncRequest
) -> None:
    waiting = ports.requests.release(claimed(ports), PREDICT_ERROR, counts_as_attempt=True)
    assert waiting.refusal is None
    assert ports.requests.find(REQUEST_ID) == waiting
    ports.clock.advance(10_000)
    assert claimed(ports).attempt == 3


@pytest.mark.parametrize(
    "outcome", [Succeeded(result=A_RESULT), Failed(fault=TIMEOUT, failure=A_FAILURE)]
)
def test_what_ended_for_another_reason_says_nothing_of_an_earlier_refusal(
    ports: Ports, refused: AsyncRequest, outcome: Succeeded | Failed
) -> None:
    ended = ports.requests.finish(claimed(ports), outcome)
    assert ended.refusal is None
    assert ports.requests.find(REQUEST_ID) == ended


def test_a_redriven_request_that_is_refused_has_its_time_in_the_queue_once_more(
    ports: Ports, refused: AsyncRequest
) -> None:
    ports.clock.advance(9_000)
    ports.requests.give_up(refused, BUSY.fault)
    reopened = ports.requests.reopen(REQUEST_ID)
    assert reopened.refusal is None
    assert reopened.deadline_at == at(ports.clock(), 600)

    waiting = ports.requests.release(claimed(ports), None, counts_as_attempt=False, refusal=BUSY)
    assert not waiting.is_past_deadline(at(ports.clock(), 599))
    assert waiting.is_past_deadline(at(ports.clock(), 600))


@pytest.mark.parametrize("version", ["this", "earlier"])
def test_every_redrive_gives_the_time_in_the_queue_that_the_first_wait_had(
    ports: Ports, version: str
) -> None:
    known = {} if version == "this" else {"max_time_in_queue_seconds": None}
    ports.requests.accept(a_request(ports.clock(), **known))
    for _ in range(3):
        ports.requests.finish(claimed(ports), Failed(fault=TIMEOUT))
        ports.clock.advance(86_400)
        reopened = ports.requests.reopen(REQUEST_ID)
        assert reopened.deadline_at == at(ports.clock(), 600)


def test_no_more_of_an_answer_is_kept_than_fits_a_row() -> None:
    kept = ServerRefusal.of(503, "text/plain", b"x" * 10_000)
    assert kept.body == b"x" * ServerRefusal.KEPT_BYTES


def test_the_rests_of_a_refused_request_grow_to_five_minutes() -> None:
    rests = [BUSY.model_copy(update={"times": times}).rest_seconds for times in (1, 2, 5, 9, 99)]
    assert rests == [2, 4, 32, 300, 300]
