"""How a request is accepted, claimed, held and given back, whatever the family."""

import pytest

from penstock.contracts.errors import ClaimRefusedError, DuplicateRequestError, LeaseLostError
from penstock.contracts.outcome import Canceled, Succeeded
from penstock.contracts.request import AsyncRequest, RequestState, WebhookStatus
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import (
    A_RESULT,
    PREDICT_ERROR,
    REQUEST_ID,
    TIMEOUT,
    UNKNOWN_ID,
    a_request,
    at,
    without_webhook,
)


def accepted(ports: Ports) -> AsyncRequest:
    request = a_request(ports.clock())
    ports.requests.accept(request)
    return request


def claimed(ports: Ports, worker: str = "worker-1") -> AsyncRequest:
    if ports.requests.find(REQUEST_ID) is None:
        accepted(ports)
    return ports.requests.claim(REQUEST_ID, worker, lease_seconds=30)


def test_an_accepted_request_is_found_as_it_was(ports: Ports) -> None:
    ports.clock.advance(0.123456)
    request = a_request(
        ports.clock(),
        priority=2,
        predict_timeout_seconds=12.5,
        faults=(PREDICT_ERROR,),
        result=A_RESULT,
    )
    ports.requests.accept(request)

    assert ports.requests.find(REQUEST_ID) == request


def test_an_unknown_request_is_not_found(ports: Ports) -> None:
    assert ports.requests.find(UNKNOWN_ID) is None


def test_a_request_is_accepted_once(ports: Ports) -> None:
    existing = accepted(ports)
    repeat = without_webhook(ports.clock())

    with pytest.raises(DuplicateRequestError) as refusal:
        ports.requests.accept(repeat)
    assert refusal.value.existing == existing
    assert ports.requests.find(REQUEST_ID) == existing


def test_a_claim_takes_the_next_attempt_and_a_lease(ports: Ports) -> None:
    request = accepted(ports)
    ports.clock.advance(5.000001)

    held = ports.requests.claim(REQUEST_ID, "worker-1", lease_seconds=30)
    assert held == request.model_copy(
        update={
            "state": RequestState.IN_PROGRESS,
            "status_at": ports.clock(),
            "attempt": 1,
            "attempts_left": 2,
            "lease_owner": "worker-1",
            "lease_until": at(ports.clock(), 30),
            "claim_id": held.claim_id,
        }
    )
    assert ports.requests.find(REQUEST_ID) == held


def test_a_held_request_is_claimed_by_nobody_else(ports: Ports) -> None:
    held = claimed(ports)
    ports.clock.advance(30)  # a lease includes its last moment

    with pytest.raises(ClaimRefusedError) as refusal:
        claimed(ports, "worker-2")
    assert refusal.value.current == held


def test_a_lapsed_lease_goes_to_the_next_claimant(ports: Ports) -> None:
    claimed(ports)
    ports.clock.advance(30.000001)

    held = claimed(ports, "worker-2")
    assert (held.lease_owner, held.attempt, held.attempts_left) == ("worker-2", 2, 1)
    assert held.status_at == ports.clock()


def test_a_lapsed_lease_without_attempts_left_is_not_claimed(ports: Ports) -> None:
    for _ in range(3):
        claimed(ports)
        ports.clock.advance(31)

    with pytest.raises(ClaimRefusedError) as refusal:
        claimed(ports)
    assert refusal.value.current
    assert refusal.value.current.attempts_left == 0


def test_an_unknown_request_is_not_claimed(ports: Ports) -> None:
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.claim(UNKNOWN_ID, "worker-1", lease_seconds=30)
    assert refusal.value.current is None


def test_a_request_is_claimed_until_just_before_its_deadline(ports: Ports) -> None:
    accepted(ports)
    ports.clock.advance(599.999999)
    assert claimed(ports).attempt == 1


def test_a_request_at_its_deadline_is_not_claimed(ports: Ports) -> None:
    request = accepted(ports)
    ports.clock.advance(600)

    with pytest.raises(ClaimRefusedError) as refusal:
        claimed(ports)
    assert refusal.value.current == request


def test_a_queued_request_that_was_asked_to_stop_is_not_claimed(ports: Ports) -> None:
    ports.requests.accept(a_request(ports.clock(), cancel_requested=True))
    with pytest.raises(ClaimRefusedError):
        claimed(ports)


def test_a_waiting_retry_has_no_deadline(ports: Ports) -> None:
    ports.requests.release(claimed(ports), PREDICT_ERROR, counts_as_attempt=True)
    ports.clock.advance(10_000)
    assert claimed(ports).attempt == 2


def test_a_renewed_lease_lasts_from_now(ports: Ports) -> None:
    held = claimed(ports)
    ports.clock.advance(20)

    renewed = ports.requests.renew(held, lease_seconds=30)
    assert renewed == held.model_copy(update={"lease_until": at(ports.clock(), 30)})
    assert ports.requests.find(REQUEST_ID) == renewed


def test_a_lapsed_lease_that_nobody_took_is_renewed(ports: Ports) -> None:
    held = claimed(ports)
    ports.clock.advance(100)
    assert ports.requests.renew(held, lease_seconds=30).is_leased(ports.clock())


def test_a_renewal_hears_of_the_wish_to_cancel(ports: Ports) -> None:
    held = claimed(ports)
    ports.requests.cancel(REQUEST_ID, force=True)
    assert ports.requests.renew(held, lease_seconds=30).cancel_requested


def test_an_attempt_that_lost_its_lease_can_do_nothing(ports: Ports) -> None:
    zombie = claimed(ports)
    ports.clock.advance(31)
    held = claimed(ports, "worker-1")  # the same worker: only the attempt tells them apart

    with pytest.raises(LeaseLostError, match="attempt 1 no longer holds"):
        ports.requests.renew(zombie, lease_seconds=30)
    with pytest.raises(LeaseLostError):
        ports.requests.finish(zombie, Succeeded(result=A_RESULT))
    with pytest.raises(LeaseLostError):
        ports.requests.release(zombie, None, counts_as_attempt=False)
    assert ports.requests.find(REQUEST_ID) == held


def test_an_ended_request_is_held_by_nobody(ports: Ports) -> None:
    held = claimed(ports)
    ended = ports.requests.finish(held, Succeeded(result=A_RESULT))

    with pytest.raises(LeaseLostError):
        ports.requests.renew(held, lease_seconds=30)
    with pytest.raises(LeaseLostError):
        ports.requests.finish(held, Canceled())
    with pytest.raises(LeaseLostError):
        ports.requests.release(held, None, counts_as_attempt=True)
    with pytest.raises(ClaimRefusedError) as refusal:
        claimed(ports, "worker-2")
    assert refusal.value.current == ended


def test_a_failed_attempt_waits_for_the_next(ports: Ports) -> None:
    held = claimed(ports)
    ports.clock.advance(3)

    waiting = ports.requests.release(held, PREDICT_ERROR, counts_as_attempt=True)
    assert waiting == held.model_copy(
        update={
            "state": RequestState.QUEUED,
            "status_at": ports.clock(),
            "faults": (PREDICT_ERROR,),
            "lease_owner": None,
            "lease_until": None,
        }
    )
    assert ports.requests.find(REQUEST_ID) == waiting


def test_only_the_faults_of_the_last_failed_attempt_are_kept(ports: Ports) -> None:
    ports.requests.release(claimed(ports), PREDICT_ERROR, counts_as_attempt=True)
    ports.requests.release(claimed(ports), TIMEOUT, counts_as_attempt=True)
    drained = ports.requests.release(claimed(ports), None, counts_as_attempt=False)
    assert drained.faults == (TIMEOUT,)


def test_a_request_given_back_keeps_its_attempts_but_not_its_fencing_token(ports: Ports) -> None:
    waiting = ports.requests.release(claimed(ports), None, counts_as_attempt=False)
    assert (waiting.attempt, waiting.attempts_left) == (1, 3)
    assert waiting.state is RequestState.QUEUED
    assert claimed(ports).attempt == 2


@pytest.mark.parametrize("worker_knows", [True, False])
def test_a_request_given_back_after_it_was_asked_to_stop_is_canceled(
    ports: Ports, *, worker_knows: bool
) -> None:
    held = claimed(ports)
    ports.requests.cancel(REQUEST_ID, force=True)
    if worker_knows:
        held = ports.requests.renew(held, lease_seconds=30)

    ended = ports.requests.release(held, PREDICT_ERROR, counts_as_attempt=True)
    assert ended.state is RequestState.CANCELED
    assert ended.webhook_status is WebhookStatus.CANCELED
    assert ended.lease_owner is None
    assert ports.requests.find(REQUEST_ID) == ended
