"""Accepting requests."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.intake.service import IntakeService
from penstock.adapters.in_memory import CrashError, InMemoryCatalog
from penstock.contracts.errors import (
    ClaimRefusedError,
    IdempotencyConflictError,
    UnavailableError,
    UnknownModelError,
)
from penstock.contracts.message import INLINE_LIMIT_BYTES
from penstock.contracts.origin import Location
from penstock.contracts.request import RequestState, Tenant, WebhookStatus
from penstock.contracts.submission import OutputPlace, Submission, Target
from penstock.dialects.address import Address
from tests.unit.functions.world import ACME, OCR, World

LARGE = b'"' + b"x" * INLINE_LIMIT_BYTES + b'"'
THROTTLED = UnavailableError("send", "throttled")
UNFORESEEN = RuntimeError("InvalidMessageContents")


@pytest.fixture
def service(world: World) -> IntakeService:
    return IntakeService(
        catalog=world.catalog,
        requests=world.faults.around("requests", world.requests),
        payloads=world.faults.around("payloads", world.payloads),
        queue_of=world.queue_of,
        clock=world.clock,
    )


def a_submission(
    payload: bytes = b'"hello"', key: str | None = None, tenant: Tenant = ACME, priority: int = 0
) -> Submission:
    return Submission(tenant=tenant, payload=payload, idempotency_key=key, priority=priority)


def test_an_accepted_request_has_a_row_and_a_message(service: IntakeService, world: World) -> None:
    row = service.accept(a_submission(priority=2), OCR)

    assert world.row(row.request_id) == row
    assert (row.state, row.deployment_id) == (RequestState.QUEUED, "ocr-1")
    assert row.webhook_status is WebhookStatus.NO_WEBHOOK_PROVIDED
    assert row.deadline_at == world.clock() + timedelta(seconds=600)
    (message,) = world.waiting(priority=2)
    assert (message.request_id, message.inline_payload) == (row.request_id, b'"hello"')


def test_a_request_waits_in_the_queue_of_its_deployment(
    service: IntakeService, world: World
) -> None:
    staging = Address(readings=(Target(model_id="ocr", environment="staging"),))
    service.accept(a_submission(), staging)
    assert len(world.waiting("ocr-2")) == 1
    assert not world.waiting("ocr-1")


def test_a_key_belongs_to_its_model_whatever_deployment_serves_it(
    service: IntakeService, world: World
) -> None:
    first = service.accept(a_submission(key="k"), OCR)
    ocr = world.catalog.find_model("ocr")
    assert ocr is not None
    asr = ocr.model_copy(
        update={
            "model_id": "asr",
            "deployments": {
                name: one.model_copy(update={"model_id": "asr"})
                for name, one in ocr.deployments.items()
            },
        }
    )
    moved = ocr.model_copy(update={"environments": {"production": "ocr-2"}})
    after = replace(service, catalog=InMemoryCatalog([asr, moved]))
    other = after.accept(a_submission(key="k"), Address(readings=(Target(model_id="asr"),)))
    assert other.request_id != first.request_id
    promoted = after.prepare(a_submission(key="k"), after.resolve(OCR))[0]
    assert (promoted.request_id, promoted.deployment_id) == (first.request_id, "ocr-2")


def test_a_large_payload_travels_beside_the_message(service: IntakeService, world: World) -> None:
    service.accept(a_submission(LARGE), OCR)
    (message,) = world.waiting()
    assert message.inline_payload is None
    assert message.stored is not None
    assert world.payloads.read(message.stored) == LARGE


@pytest.mark.spec("baseten", 3)
def test_every_submission_without_a_key_is_a_request_of_its_own(service: IntakeService) -> None:
    first, second = (service.accept(a_submission(), OCR) for _ in range(2))
    assert first.request_id != second.request_id


def test_an_unknown_address_leaves_nothing_behind(service: IntakeService, world: World) -> None:
    with pytest.raises(UnknownModelError):
        service.accept(a_submission(), Address(readings=(Target(model_id="echo"),)))
    assert not world.waiting()


def test_a_repeat_finds_the_first_request_and_sends_its_message_again(
    service: IntakeService, world: World
) -> None:
    first = service.accept(a_submission(key="k"), OCR)
    world.clock.advance(5)
    assert service.accept(a_submission(key="k"), OCR) == first
    assert {message.request_id for message in world.waiting()} == {first.request_id}
    assert world.queues["ocr-1"].depth().queued == 2


def test_a_repeat_leaves_a_claimed_request_alone(service: IntakeService, world: World) -> None:
    first = service.accept(a_submission(key="k"), OCR)
    claimed = world.requests.claim(first.request_id, "worker", 30)
    assert service.accept(a_submission(key="k"), OCR) == claimed

    waiting_retry = world.requests.release(claimed, None, counts_as_attempt=True)
    assert service.accept(a_submission(key="k"), OCR) == waiting_retry
    assert world.queues["ocr-1"].depth().queued == 1


def test_a_repeat_leaves_an_ended_request_alone(service: IntakeService, world: World) -> None:
    first = service.accept(a_submission(key="k"), OCR)
    ended = world.requests.cancel(first.request_id)
    assert service.accept(a_submission(key="k"), OCR) == ended
    assert world.queues["ocr-1"].depth().queued == 1


def test_another_submission_under_the_same_key_is_refused_and_changes_nothing(
    service: IntakeService, world: World
) -> None:
    service.accept(a_submission(LARGE, key="k"), OCR)
    for other in (b'"y"' + LARGE, b'"small"'):
        with pytest.raises(IdempotencyConflictError):
            service.accept(a_submission(other, key="k"), OCR)
    with pytest.raises(IdempotencyConflictError):
        service.accept(a_submission(LARGE, key="k", priority=1), OCR)

    (message,) = world.waiting()
    assert message.stored is not None
    assert world.payloads.read(message.stored) == LARGE


def test_tenants_do_not_share_keys(service: IntakeService) -> None:
    mine = service.accept(a_submission(key="k"), OCR)
    theirs = service.accept(a_submission(key="k", tenant=Tenant("other")), OCR)
    assert mine.request_id != theirs.request_id


@pytest.mark.parametrize("payload", [b'"small"', LARGE], ids=["inline", "stored"])
@pytest.mark.parametrize(
    "moment",
    ["before requests.accept", "after requests.accept", "before queue.send", "after queue.send"],
)
def test_a_repeat_heals_a_crash_at_any_step(
    service: IntakeService, world: World, payload: bytes, moment: str
) -> None:
    when, call = moment.split()
    (world.faults.crash_before if when == "before" else world.faults.crash_after)(call)
    with pytest.raises(CrashError):
        service.accept(a_submission(payload, key="k"), OCR)

    row = service.accept(a_submission(payload, key="k"), OCR)

    assert not world.faults.pending
    assert {message.request_id for message in world.waiting()} == {row.request_id}


@pytest.mark.parametrize("fails", ["before", "after"])
@pytest.mark.parametrize("call", ["payloads.put", "requests.accept", "queue.send"])
def test_a_caller_hears_of_every_call_that_fails(
    service: IntakeService, world: World, call: str, fails: str
) -> None:
    (world.faults.fail if fails == "before" else world.faults.fail_after)(call, THROTTLED)
    with pytest.raises(UnavailableError):
        service.accept(a_submission(LARGE, key="k"), OCR)

    row = service.accept(a_submission(LARGE, key="k"), OCR)
    assert {message.request_id for message in world.waiting()} == {row.request_id}
    assert not world.faults.pending


@pytest.mark.parametrize("call", ["payloads.put", "requests.accept"])
def test_what_was_refused_before_its_row_leaves_nothing_that_counts(
    service: IntakeService, world: World, call: str
) -> None:
    world.faults.fail(call, THROTTLED)
    with pytest.raises(UnavailableError):
        service.accept(a_submission(LARGE), OCR)
    assert world.requests.count_open(ACME, 10) == 0
    assert not world.waiting()


@pytest.mark.parametrize("is_named", [False, True], ids=["no key", "key of this call alone"])
@pytest.mark.parametrize("error", [THROTTLED, UNFORESEEN], ids=["throttled", "unforeseen"])
@pytest.mark.parametrize("fails", ["before", "after"])
@pytest.mark.parametrize("call", ["requests.accept", "queue.send"])
def test_what_was_refused_never_runs_and_is_never_announced(  # noqa: PLR0913 - what is crossed
    service: IntakeService,
    world: World,
    call: str,
    fails: str,
    error: Exception,
    *,
    is_named: bool,
) -> None:
    (world.faults.fail if fails == "before" else world.faults.fail_after)(call, error)
    submission = a_submission()
    if is_named:
        place = Location(bucket="results", key="acme")
        submission = a_submission(key="made up").model_copy(
            update={
                "key_is_spent": True,
                "output": OutputPlace(result_folder=place, failure_folder=place),
            }
        )
    with pytest.raises(type(error)):
        service.accept(submission, OCR)

    assert world.requests.count_open(ACME, 10) == 0
    for message in world.waiting():  # its answer was lost: a worker will meet it
        with pytest.raises(ClaimRefusedError):
            world.requests.claim(message.request_id, "worker", 30)
    world.clock.advance(10_000)
    assert not world.requests.due(10)


def test_an_unforeseen_failure_leaves_a_keyed_request_to_its_callers_repeat(
    service: IntakeService, world: World
) -> None:
    world.faults.fail("queue.send", UNFORESEEN)
    with pytest.raises(RuntimeError, match="InvalidMessageContents"):
        service.accept(a_submission(key="k"), OCR)

    row = service.accept(a_submission(key="k"), OCR)
    assert {message.request_id for message in world.waiting()} == {row.request_id}


def test_a_repeat_after_production_moved_is_the_first_request_where_it_waits(
    service: IntakeService, world: World
) -> None:
    first = service.accept(a_submission(key="k"), OCR)
    ocr = world.catalog.find_model("ocr")
    assert ocr is not None
    moved = ocr.model_copy(update={"environments": {"production": "ocr-2"}})

    after = replace(service, catalog=InMemoryCatalog([moved]))

    assert after.accept(a_submission(key="k"), OCR) == first
    assert world.queues["ocr-1"].depth().queued == 2
    assert not world.waiting("ocr-2")


def test_a_repeat_after_its_deployment_went_sends_its_message_to_no_other(
    service: IntakeService, world: World
) -> None:
    first = service.accept(a_submission(key="k"), OCR)
    ocr = world.catalog.find_model("ocr")
    assert ocr is not None
    replaced = ocr.model_copy(
        update={
            "environments": {"production": "ocr-2"},
            "deployments": {"ocr-2": ocr.deployments["ocr-2"]},
        }
    )
    after = replace(service, catalog=InMemoryCatalog([replaced]))

    assert after.accept(a_submission(key="k"), OCR) == first
    assert not world.waiting("ocr-2")


def test_a_request_that_cannot_even_be_withdrawn_expires(
    service: IntakeService, world: World
) -> None:
    world.faults.fail("queue.send", THROTTLED)
    world.faults.fail("requests.cancel", UnavailableError("cancel", "throttled too"))
    with pytest.raises(UnavailableError, match="send failed"):
        service.accept(a_submission(), OCR)
    world.clock.advance(600)
    assert [row.state for row in world.requests.due(10)] == [RequestState.QUEUED]


def test_a_payload_lies_in_s3_before_its_row_says_so(service: IntakeService, world: World) -> None:
    world.faults.crash_after("payloads.put")
    with pytest.raises(CrashError):
        service.accept(a_submission(LARGE), OCR)
    assert world.requests.count_open(ACME, 10) == 0


@pytest.mark.parametrize("payload", [b"1", LARGE], ids=["inline", "stored"])
def test_a_message_carries_the_trace_that_its_request_was_accepted_in(
    service: IntakeService, world: World, payload: bytes
) -> None:
    traceparent = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
    replace(service, traceparent=lambda: traceparent).accept(a_submission(payload), OCR)

    (message,) = world.waiting()
    assert message.traceparent == traceparent
