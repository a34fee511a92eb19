"""Steps that took effect although their answer was lost, whatever the family."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from penstock.adapters.aws.clients import client
from penstock.contracts.errors import ClaimRefusedError, LeaseLostError
from penstock.contracts.outcome import Canceled, Failed, Outcome, Succeeded
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

OUTCOMES: list[Outcome] = [
    Succeeded(result=A_RESULT),
    Failed(fault=TIMEOUT, failure=A_FAILURE),
    Canceled(),
]
outcomes = pytest.mark.parametrize("outcome", OUTCOMES, ids=["succeeded", "failed", "canceled"])


def claimed(ports: Ports, claim_id: str | None = None) -> AsyncRequest:
    if ports.requests.find(REQUEST_ID) is None:
        ports.requests.accept(a_request(ports.clock()))
    return ports.requests.claim(REQUEST_ID, "worker-1", lease_seconds=30, claim_id=claim_id)


def test_a_repeated_claim_finds_the_lease_that_the_first_took(ports: Ports) -> None:
    held = claimed(ports, "claim-1")
    ports.clock.advance(5)

    assert claimed(ports, "claim-1") == held
    assert ports.requests.find(REQUEST_ID) == held


@pytest.mark.parametrize("attempts_left", [1, 3])
def test_a_claim_repeated_after_its_lease_lapsed_takes_a_new_lease_and_no_second_attempt(
    ports: Ports, attempts_left: int
) -> None:
    ports.requests.accept(a_request(ports.clock(), attempts_left=attempts_left))
    held = claimed(ports, "claim-1")
    ports.clock.advance(31)

    again = claimed(ports, "claim-1")
    assert (again.attempt, again.attempts_left) == (1, attempts_left - 1)
    assert again.lease_until == at(ports.clock(), 30)
    assert again == held.model_copy(update={"lease_until": again.lease_until})
    assert ports.requests.find(REQUEST_ID) == again


def test_another_claim_of_a_lapsed_lease_is_no_repeat(ports: Ports) -> None:
    claimed(ports, "claim-1")
    ports.clock.advance(31)
    assert claimed(ports, "claim-2").attempt == 2
    with pytest.raises(ClaimRefusedError):
        claimed(ports, "claim-1")


def test_another_claim_of_the_same_worker_is_no_repeat(ports: Ports) -> None:
    held = claimed(ports, "claim-1")
    for claim_id in ("claim-2", None):
        with pytest.raises(ClaimRefusedError) as refusal:
            claimed(ports, claim_id)
        assert refusal.value.current == held


def test_a_claim_is_not_repeated_once_its_request_was_left(ports: Ports) -> None:
    ended = ports.requests.finish(claimed(ports, "claim-1"), Succeeded(result=A_RESULT))
    with pytest.raises(ClaimRefusedError) as refusal:
        claimed(ports, "claim-1")
    assert refusal.value.current == ended


@outcomes
def test_a_repeated_end_finds_what_the_first_wrote(ports: Ports, outcome: Outcome) -> None:
    held = claimed(ports)
    ended = ports.requests.finish(held, outcome)
    ports.clock.advance(5)

    assert ports.requests.finish(held, outcome) == ended
    assert ports.requests.find(REQUEST_ID) == ended


@outcomes
def test_an_end_that_another_wrote_is_no_repeat(ports: Ports, outcome: Outcome) -> None:
    held = claimed(ports)
    ports.clock.advance(31)
    successor = claimed(ports)
    ended = ports.requests.finish(successor, outcome)

    with pytest.raises(LeaseLostError):
        ports.requests.finish(held, outcome)
    other = next(each for each in OUTCOMES if each != outcome)
    with pytest.raises(LeaseLostError):
        ports.requests.finish(successor, other)
    assert ports.requests.find(REQUEST_ID) == ended


@pytest.mark.parametrize("counts", [True, False])
def test_a_repeated_return_restores_no_second_attempt(ports: Ports, *, counts: bool) -> None:
    held = claimed(ports)
    waiting = ports.requests.release(held, PREDICT_ERROR, counts_as_attempt=counts)
    ports.clock.advance(5)

    assert ports.requests.release(held, PREDICT_ERROR, counts_as_attempt=counts) == waiting
    assert ports.requests.find(REQUEST_ID) == waiting
    assert claimed(ports).attempt == 2
    with pytest.raises(LeaseLostError):
        ports.requests.release(held, PREDICT_ERROR, counts_as_attempt=counts)


def test_a_repeated_return_of_a_request_that_was_to_stop_finds_it_canceled(ports: Ports) -> None:
    held = claimed(ports)
    ports.requests.cancel(REQUEST_ID, force=True)
    ended = ports.requests.release(held, None, counts_as_attempt=False)

    assert ended.state is RequestState.CANCELED
    assert ports.requests.release(held, None, counts_as_attempt=False) == ended


STEPS: dict[str, Callable[[Ports, AsyncRequest], AsyncRequest]] = {
    "claim": lambda ports, row: ports.requests.claim(row.request_id, "worker-1", lease_seconds=30),
    "finish": lambda ports, row: ports.requests.finish(row, Succeeded(result=A_RESULT)),
    "release": lambda ports, row: ports.requests.release(row, None, counts_as_attempt=False),
    "expire": lambda ports, row: ports.requests.expire(row.request_id, TIMEOUT),
    "give_up": lambda ports, row: ports.requests.give_up(row, TIMEOUT),
    "cancel": lambda ports, row: ports.requests.cancel(row.request_id),
    "reopen": lambda ports, row: ports.requests.reopen(row.request_id),
}


@contextmanager
def next_answer_lost() -> Iterator[list[str]]:
    """Have the SDK send the next update twice, as when the first answer was lost."""
    sent: list[str] = []

    def repeat_once(**_: object) -> Any:
        sent.append("UpdateItem")
        return 0 if len(sent) == 1 else None

    events = client("dynamodb").meta.events
    events.register_first("needs-retry.dynamodb.UpdateItem", repeat_once)
    yield sent
    events.unregister("needs-retry.dynamodb.UpdateItem", repeat_once)


@pytest.mark.integration
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_the_sdk_repeats_recognizes_its_own_effect(aws_ports: Ports, step: str) -> None:
    row = a_request(aws_ports.clock())
    aws_ports.requests.accept(row)
    if step in {"finish", "release"}:
        row = claimed(aws_ports)
    if step in {"expire", "reopen"}:
        aws_ports.clock.advance(600)
    if step == "reopen":
        row = aws_ports.requests.expire(REQUEST_ID, TIMEOUT)
    aws_ports.clock.advance(1)

    with next_answer_lost() as sent:
        after = STEPS[step](aws_ports, row)
    assert sent == ["UpdateItem"] * 2
    assert after == aws_ports.requests.find(REQUEST_ID)
    assert after.state is not row.state
    assert after.attempts_left == (2 if step == "claim" else 3 if step != "finish" else 2)
