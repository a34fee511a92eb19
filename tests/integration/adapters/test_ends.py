"""How a request ends and what is remembered afterwards, whatever the family."""

from datetime import timedelta

import pytest

from penstock.contracts.errors import ClaimRefusedError, UnknownRequestError
from penstock.contracts.outcome import Canceled, Failed, StoredObject, Succeeded
from penstock.contracts.request import AsyncRequest, RequestState, WebhookStatus
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import (
    A_FAILURE,
    A_RESULT,
    PREDICT_ERROR,
    REQUEST_ID,
    TIMEOUT,
    UNKNOWN_ID,
    a_request,
    without_webhook,
)


@pytest.fixture
def queued(ports: Ports) -> AsyncRequest:
    request = a_request(ports.clock())
    ports.requests.accept(request)
    ports.clock.advance(1)
    return request


@pytest.fixture
def held(ports: Ports, queued: AsyncRequest) -> AsyncRequest:
    claimed = ports.requests.claim(queued.request_id, "worker-1", lease_seconds=30)
    ports.clock.advance(1)
    return claimed


def waiting_again(ports: Ports, held: AsyncRequest) -> AsyncRequest:
    return ports.requests.release(held, PREDICT_ERROR, counts_as_attempt=True)


def test_a_success_has_a_result_and_no_faults(ports: Ports, held: AsyncRequest) -> None:
    waiting_again(ports, held)
    held = ports.requests.claim(REQUEST_ID, "worker-2", lease_seconds=30)

    ended = ports.requests.finish(held, Succeeded(result=A_RESULT))
    assert ended == held.model_copy(
        update={
            "state": RequestState.SUCCEEDED,
            "status_at": ports.clock(),
            "result": A_RESULT,
            "faults": (),
            "lease_owner": None,
            "lease_until": None,
        }
    )
    assert ports.requests.find(REQUEST_ID) == ended


@pytest.mark.parametrize("failure", [A_FAILURE, None])
def test_a_failure_has_its_fault_and_its_document(
    ports: Ports, held: AsyncRequest, failure: StoredObject | None
) -> None:
    ended = ports.requests.finish(held, Failed(fault=TIMEOUT, failure=failure))

    assert (ended.state, ended.faults, ended.result) == (RequestState.FAILED, (TIMEOUT,), failure)
    assert ended.webhook_status is WebhookStatus.PENDING
    assert ports.requests.find(REQUEST_ID) == ended


@pytest.mark.spec("baseten", 14)
def test_an_ended_request_is_kept_for_days_even_after_ten_attempts_of_the_longest_run(
    ports: Ports, held: AsyncRequest
) -> None:
    ports.clock.advance(10 * 11.5 * 3_600)
    ports.requests.finish(held, Failed(fault=TIMEOUT, failure=None))

    ended = ports.requests.find(REQUEST_ID)
    assert ended is not None
    assert ended.purge_at >= ports.clock() + timedelta(days=2)


@pytest.mark.spec("baseten", 14)
def test_a_request_that_never_ran_is_kept_for_a_week_after_its_end(
    ports: Ports, queued: AsyncRequest
) -> None:
    canceled = ports.requests.cancel(queued.request_id, force=False)
    assert canceled.purge_at >= ports.clock() + timedelta(days=7)


def test_a_stopped_request_calls_no_webhook(ports: Ports, held: AsyncRequest) -> None:
    ended = ports.requests.finish(held, Canceled())

    assert ended.state is RequestState.CANCELED
    assert ended.webhook_status is WebhookStatus.CANCELED
    assert ports.requests.find(REQUEST_ID) == ended


def test_a_request_without_webhook_has_none_to_cancel(ports: Ports) -> None:
    ports.requests.accept(without_webhook(ports.clock()))
    ended = ports.requests.cancel(REQUEST_ID)
    assert ended.webhook_status is WebhookStatus.NO_WEBHOOK_PROVIDED


def test_a_request_that_waited_too_long_expires(ports: Ports, queued: AsyncRequest) -> None:
    ports.clock.advance(599)  # one second passed before

    ended = ports.requests.expire(REQUEST_ID, TIMEOUT)
    assert (ended.state, ended.status_at) == (RequestState.EXPIRED, ports.clock())
    assert ended.faults == (TIMEOUT,)
    assert ended.webhook_status is WebhookStatus.PENDING
    assert ports.requests.find(REQUEST_ID) == ended


def test_a_request_does_not_expire_early(ports: Ports, queued: AsyncRequest) -> None:
    ports.clock.advance(598.999999)
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.expire(REQUEST_ID, TIMEOUT)
    assert refusal.value.current == queued


def test_a_request_that_was_ever_claimed_does_not_expire(ports: Ports, held: AsyncRequest) -> None:
    ports.clock.advance(10_000)
    with pytest.raises(ClaimRefusedError):
        ports.requests.expire(REQUEST_ID, TIMEOUT)
    waiting = waiting_again(ports, held)
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.expire(REQUEST_ID, TIMEOUT)
    assert refusal.value.current == waiting


def test_a_request_whose_last_attempt_died_is_given_up(ports: Ports, queued: AsyncRequest) -> None:
    for _ in range(queued.attempts_left):
        seen = ports.requests.claim(REQUEST_ID, "worker-1", lease_seconds=30)
        ports.clock.advance(91)

    ended = ports.requests.give_up(seen, TIMEOUT)
    assert (ended.state, ended.faults, ended.attempt) == (RequestState.FAILED, (TIMEOUT,), 3)
    assert (ended.lease_owner, ended.status_at) == (None, ports.clock())
    assert ended.result is None
    assert ports.requests.find(REQUEST_ID) == ended
    ports.clock.advance(1)  # at the same moment it would be a repeat of the same call
    with pytest.raises(ClaimRefusedError):
        ports.requests.give_up(seen, TIMEOUT)


def test_a_waiting_request_is_given_up(ports: Ports, queued: AsyncRequest) -> None:
    ended = ports.requests.give_up(queued, TIMEOUT)
    assert (ended.state, ended.attempt) == (RequestState.FAILED, 0)
    assert ports.requests.find(REQUEST_ID) == ended


def test_a_held_request_is_not_given_up(ports: Ports, held: AsyncRequest) -> None:
    ports.clock.advance(29)
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.give_up(held, TIMEOUT)
    assert refusal.value.current == held


def test_a_lease_has_lapsed_for_a_minute_before_its_request_is_given_up(
    ports: Ports, held: AsyncRequest
) -> None:
    ports.clock.advance(29 + 60)  # a second passed since the claim
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.give_up(held, TIMEOUT)
    assert refusal.value.current == held

    ports.clock.advance(0.000001)
    assert ports.requests.give_up(held, TIMEOUT).state is RequestState.FAILED


def test_a_request_that_was_claimed_since_it_was_seen_is_not_given_up(
    ports: Ports, queued: AsyncRequest
) -> None:
    ports.requests.claim(REQUEST_ID, "worker-1", lease_seconds=30)
    ports.clock.advance(91)
    with pytest.raises(ClaimRefusedError):
        ports.requests.give_up(queued, TIMEOUT)


def test_an_unknown_request_is_neither_expired_nor_given_up(
    ports: Ports, queued: AsyncRequest
) -> None:
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.expire(UNKNOWN_ID, TIMEOUT)
    assert refusal.value.current is None
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.give_up(queued.model_copy(update={"request_id": UNKNOWN_ID}), TIMEOUT)
    assert refusal.value.current is None


@pytest.mark.parametrize("force", [True, False])
def test_a_request_that_nobody_claimed_is_canceled(
    ports: Ports, queued: AsyncRequest, *, force: bool
) -> None:
    ended = ports.requests.cancel(REQUEST_ID, force=force)

    canceled = queued.moved_to(RequestState.CANCELED, ports.clock())
    assert ended == canceled.model_copy(update={"webhook_status": WebhookStatus.CANCELED})
    assert ports.requests.find(REQUEST_ID) == ended
    with pytest.raises(ClaimRefusedError):
        ports.requests.claim(REQUEST_ID, "worker-1", lease_seconds=30)


def test_a_running_request_is_left_alone_without_force(ports: Ports, held: AsyncRequest) -> None:
    assert ports.requests.cancel(REQUEST_ID) == held
    assert ports.requests.find(REQUEST_ID) == held


def test_a_running_request_is_asked_to_stop_with_force(ports: Ports, held: AsyncRequest) -> None:
    asked = held.model_copy(update={"cancel_requested": True})
    assert ports.requests.cancel(REQUEST_ID, force=True) == asked
    assert ports.requests.cancel(REQUEST_ID, force=True) == asked
    assert ports.requests.find(REQUEST_ID) == asked


def test_a_waiting_retry_is_canceled_only_with_force(ports: Ports, held: AsyncRequest) -> None:
    waiting = waiting_again(ports, held)

    assert ports.requests.cancel(REQUEST_ID) == waiting
    assert ports.requests.cancel(REQUEST_ID, force=True).state is RequestState.CANCELED


def test_it_is_too_late_to_cancel_an_ended_request(ports: Ports, held: AsyncRequest) -> None:
    ended = ports.requests.finish(held, Succeeded(result=A_RESULT))
    assert ports.requests.cancel(REQUEST_ID, force=True) == ended


def test_an_unknown_request_cannot_be_canceled(ports: Ports) -> None:
    with pytest.raises(UnknownRequestError):
        ports.requests.cancel(UNKNOWN_ID)


def test_the_first_announcement_of_an_ended_request_is_remembered(
    ports: Ports, held: AsyncRequest
) -> None:
    ended = ports.requests.finish(held, Succeeded(result=A_RESULT))
    ports.requests.mark_notified(ended)
    announced_at = ports.clock()
    ports.clock.advance(10)
    ports.requests.mark_notified(ended)

    expected = ended.model_copy(update={"notified_at": announced_at})
    assert ports.requests.find(REQUEST_ID) == expected


def test_a_request_that_has_not_ended_is_not_announced(ports: Ports, held: AsyncRequest) -> None:
    ports.requests.mark_notified(held)
    ports.requests.mark_notified(held.model_copy(update={"request_id": UNKNOWN_ID}))
    assert ports.requests.find(REQUEST_ID) == held
    assert ports.requests.find(UNKNOWN_ID) is None


def test_what_became_of_the_webhook_is_recorded(ports: Ports, held: AsyncRequest) -> None:
    ended = ports.requests.finish(held, Succeeded(result=A_RESULT))
    ports.requests.record_webhook(ended, WebhookStatus.FAILED)

    expected = ended.model_copy(update={"webhook_status": WebhookStatus.FAILED})
    assert ports.requests.find(REQUEST_ID) == expected


def test_nothing_is_recorded_without_a_webhook(ports: Ports) -> None:
    request = without_webhook(ports.clock())
    ports.requests.accept(request)

    ports.requests.record_webhook(request, WebhookStatus.SUCCEEDED)
    unknown = request.model_copy(update={"request_id": UNKNOWN_ID})
    ports.requests.record_webhook(unknown, WebhookStatus.SUCCEEDED)
    assert ports.requests.find(REQUEST_ID) == request
    assert ports.requests.find(UNKNOWN_ID) is None
