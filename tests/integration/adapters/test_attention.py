"""Who needs somebody, who is still open, who shall stop, whatever the family."""

import pytest

from penstock.contracts.errors import ClaimRefusedError
from penstock.contracts.origin import Destination, Location
from penstock.contracts.outcome import Canceled, Failed, Succeeded
from penstock.contracts.request import (
    AsyncRequest,
    RequestId,
    RequestState,
    Tenant,
    WebhookStatus,
)
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import (
    A_FAILURE,
    A_RESULT,
    REQUEST_ID,
    TIMEOUT,
    UNKNOWN_ID,
    a_request,
    at,
    without_webhook,
)

ACME = Tenant("acme")


@pytest.fixture
def queued(ports: Ports) -> AsyncRequest:
    request = a_request(ports.clock())
    ports.requests.accept(request)
    ports.clock.advance(1)
    return request


@pytest.fixture
def held(ports: Ports, queued: AsyncRequest) -> AsyncRequest:
    return ports.requests.claim(queued.request_id, "worker-1", lease_seconds=30)


@pytest.fixture
def failed(ports: Ports, held: AsyncRequest) -> AsyncRequest:
    return ports.requests.finish(held, Failed(fault=TIMEOUT, failure=A_FAILURE))


def accept_many(ports: Ports, count: int, **changes: object) -> list[RequestId]:
    ids = [RequestId(f"{number:032x}") for number in range(count)]
    for request_id in ids:
        ports.requests.accept(a_request(ports.clock(), request_id=request_id, **changes))
    return ids


def due_ids(ports: Ports, limit: int = 1_000) -> list[RequestId]:
    return [request.request_id for request in ports.requests.due(limit)]


def test_a_request_that_nobody_claimed_is_due_at_its_deadline(
    ports: Ports, queued: AsyncRequest
) -> None:
    ports.clock.advance(598.999999)
    assert ports.requests.due(10) == []
    ports.clock.advance(0.000001)
    assert ports.requests.due(10) == [queued]


def test_a_held_request_is_due_within_a_minute_after_others_may_end_it(
    ports: Ports, held: AsyncRequest
) -> None:
    ports.clock.advance(30 + 60)
    assert ports.requests.due(10) == []
    ports.clock.advance(60)
    assert ports.requests.due(10) == [held]


def test_a_heartbeat_keeps_a_request_from_being_due(ports: Ports, held: AsyncRequest) -> None:
    for _ in range(20):
        ports.clock.advance(25)
        held = ports.requests.renew(held, lease_seconds=30)
        assert ports.requests.due(10) == []


def test_a_waiting_retry_is_due_after_a_quarter_of_an_hour(
    ports: Ports, held: AsyncRequest
) -> None:
    waiting = ports.requests.release(held, TIMEOUT, counts_as_attempt=True)
    ports.clock.advance(899)
    assert ports.requests.due(10) == []
    ports.clock.advance(1)
    assert ports.requests.due(10) == [waiting]


def test_an_ended_request_is_due_until_it_is_announced(ports: Ports, failed: AsyncRequest) -> None:
    ports.clock.advance(59)
    assert ports.requests.due(10) == []
    ports.clock.advance(1)
    assert ports.requests.due(10) == [failed]
    ports.requests.mark_notified(failed)
    assert ports.requests.due(10) == []


def test_those_longest_due_come_first_and_no_more_than_wanted(ports: Ports) -> None:
    now = ports.clock()
    ids = [RequestId(f"{number:032x}") for number in range(130)]
    for number, request_id in enumerate(ids):
        deadline_at = at(now, 10 + (number * 37) % 130)
        ports.requests.accept(a_request(now, request_id=request_id, deadline_at=deadline_at))
    ports.clock.advance(1_000)

    found = ports.requests.due(110)
    deadlines = [row.deadline_at for row in found if isinstance(row, AsyncRequest)]
    assert len(found) == 110
    assert deadlines == sorted(deadlines)
    assert deadlines[0] == at(now, 10)
    assert len(due_ids(ports, 1_000)) == 130


def test_a_postponed_request_is_due_later_but_never_earlier(
    ports: Ports, queued: AsyncRequest
) -> None:
    ports.requests.postpone(REQUEST_ID, 60)
    assert ports.requests.due(10) == []
    ports.clock.advance(599)
    assert ports.requests.due(10) == [queued]

    ports.requests.postpone(REQUEST_ID, 60)
    ports.clock.advance(59)
    assert ports.requests.due(10) == []
    ports.clock.advance(1)
    assert ports.requests.due(10) == [queued]


def test_what_is_never_due_cannot_be_postponed(ports: Ports, failed: AsyncRequest) -> None:
    ports.requests.mark_notified(failed)
    ports.requests.postpone(REQUEST_ID, 60)
    ports.requests.postpone(UNKNOWN_ID, 60)
    ports.clock.advance(1_000)
    assert ports.requests.due(10) == []


def test_a_failed_request_is_queued_again_as_new(ports: Ports, failed: AsyncRequest) -> None:
    ports.requests.mark_notified(failed)
    ports.requests.record_webhook(failed, WebhookStatus.FAILED)
    ports.requests.count_webhook_attempt(failed)
    ports.clock.advance(86_400)

    reopened = ports.requests.reopen(REQUEST_ID)
    assert reopened == failed.model_copy(
        update={
            "state": RequestState.QUEUED,
            "status_at": ports.clock(),
            "deadline_at": at(ports.clock(), 600),
            "purge_at": reopened.purge_at,
            "attempt": failed.attempt + 1,
            "attempts_left": 3,
            "faults": (),
            "result": None,
            "webhook_status": WebhookStatus.PENDING,
        }
    )
    assert reopened.purge_at >= at(ports.clock(), 7 * 86_400)
    assert ports.requests.find(REQUEST_ID) == reopened
    ports.clock.advance(900)
    assert ports.requests.due(10) == [reopened]
    assert ports.requests.count_open(ACME, 10) == 1
    assert ports.requests.claim(REQUEST_ID, "worker-2", 30).attempt == 3


@pytest.mark.usefixtures("queued")
def test_an_expired_request_that_is_queued_again_does_not_expire(ports: Ports) -> None:
    ports.clock.advance(600)
    ports.requests.expire(REQUEST_ID, TIMEOUT)

    reopened = ports.requests.reopen(REQUEST_ID)
    assert not reopened.is_past_deadline(ports.clock())
    with pytest.raises(ClaimRefusedError):
        ports.requests.expire(REQUEST_ID, TIMEOUT)
    ports.requests.claim(REQUEST_ID, "worker-1", 30)


def test_a_wish_to_cancel_does_not_outlive_the_end(ports: Ports, held: AsyncRequest) -> None:
    ports.requests.cancel(REQUEST_ID, force=True)
    ports.requests.finish(held, Failed(fault=TIMEOUT))
    ports.requests.reopen(REQUEST_ID)
    assert not ports.requests.claim(REQUEST_ID, "worker-2", 30).cancel_requested


def test_only_what_failed_or_expired_is_queued_again(ports: Ports, held: AsyncRequest) -> None:
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.reopen(REQUEST_ID)
    assert refusal.value.current == held
    succeeded = ports.requests.finish(held, Succeeded(result=A_RESULT))
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.reopen(REQUEST_ID)
    assert refusal.value.current == succeeded
    with pytest.raises(ClaimRefusedError) as refusal:
        ports.requests.reopen(UNKNOWN_ID)
    assert refusal.value.current is None


def test_who_saw_a_request_before_it_was_queued_again_cannot_give_it_up(
    ports: Ports, held: AsyncRequest
) -> None:
    seen = ports.requests.release(held, TIMEOUT, counts_as_attempt=True)
    ports.requests.give_up(seen, TIMEOUT)
    ports.requests.reopen(REQUEST_ID)
    with pytest.raises(ClaimRefusedError):
        ports.requests.give_up(seen, TIMEOUT)


def test_requests_that_have_not_ended_are_counted_up_to_a_limit(ports: Ports) -> None:
    ids = accept_many(ports, 12)
    ports.requests.accept(a_request(ports.clock(), tenant=Tenant("other")))

    assert ports.requests.count_open(ACME, 1_000) == 12
    assert ports.requests.count_open(ACME, 5) == 5
    assert ports.requests.count_open(Tenant("nobody"), 5) == 0
    ports.requests.cancel(ids[0])
    held = ports.requests.claim(ids[1], "worker-1", 30)
    assert ports.requests.count_open(ACME, 1_000) == 11
    ports.requests.finish(held, Succeeded(result=A_RESULT))
    ports.requests.give_up(a_request(ports.clock(), request_id=ids[2]), TIMEOUT)
    assert ports.requests.count_open(ACME, 1_000) == 9
    ports.clock.advance(600)
    ports.requests.expire(ids[3], TIMEOUT)
    assert ports.requests.count_open(ACME, 1_000) == 8


def test_those_asked_to_stop_are_found_among_any_number(ports: Ports) -> None:
    ids = accept_many(ports, 120)
    asked = {ids[3], ids[110]}
    for request_id in ids:
        ports.requests.claim(request_id, "worker-1", 30)
    for request_id in asked:
        ports.requests.cancel(request_id, force=True)

    assert set(ports.requests.wanted_to_stop([*ids, UNKNOWN_ID, ids[3]])) == asked
    assert list(ports.requests.wanted_to_stop([])) == []


def test_attempts_at_a_webhook_are_counted_until_it_starts_over(
    ports: Ports, failed: AsyncRequest
) -> None:
    assert [ports.requests.count_webhook_attempt(failed) for _ in range(3)] == [1, 2, 3]
    ports.requests.record_webhook(failed, WebhookStatus.FAILED)
    row = ports.requests.find(REQUEST_ID)
    assert row
    assert row.webhook_attempts == 3

    ports.requests.record_webhook(failed, WebhookStatus.PENDING)
    assert ports.requests.find(REQUEST_ID) == failed
    assert ports.requests.count_webhook_attempt(failed) == 1


def test_a_request_without_webhook_has_none_to_reopen(ports: Ports) -> None:
    request = without_webhook(ports.clock())
    ports.requests.accept(request)
    ports.requests.give_up(request, TIMEOUT)
    reopened = ports.requests.reopen(REQUEST_ID)
    assert reopened.webhook_status is WebhookStatus.NO_WEBHOOK_PROVIDED


def test_no_attempt_is_counted_for_a_request_that_is_gone(ports: Ports) -> None:
    gone = a_request(ports.clock(), request_id=UNKNOWN_ID)
    assert ports.requests.count_webhook_attempt(gone) is None
    assert ports.requests.find(UNKNOWN_ID) is None


def test_a_cancelled_request_is_due_only_until_a_promised_place_holds_its_document(
    ports: Ports,
) -> None:
    place = Location(bucket="callers", key="1")
    promised = Destination(result=place, failure=place)
    waiting = accept_many(ports, 1, destination=promised)[0]
    running = a_request(ports.clock(), request_id=UNKNOWN_ID, destination=promised)
    ports.requests.accept(running)
    ports.requests.finish(ports.requests.claim(UNKNOWN_ID, "worker-1", 30), Canceled())
    ports.requests.cancel(waiting)
    ports.clock.advance(59)
    assert due_ids(ports) == []
    ports.clock.advance(1)
    assert set(due_ids(ports)) == {waiting, UNKNOWN_ID}

    for request_id in (waiting, UNKNOWN_ID):
        ended = ports.requests.find(request_id)
        assert ended is not None
        ports.requests.mark_notified(ended)
    assert due_ids(ports) == []
    row = ports.requests.find(waiting)
    assert row is not None
    assert row.notified_at == ports.clock()
    assert not row.is_unannounced
