"""What a dead letter may not do, how rows rest whose step failed, and what is ended in time."""

import json
from datetime import timedelta

import pytest

from functions.sweeper.service import SweeperService
from functions.sweeper.workforce import in_threads, one_after_another
from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import Destination, Location
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import AsyncRequest, RequestState, Tenant
from tests.unit.functions.world import World

RAISED = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="the model raised")
MINUTE = 60
BROKEN = UnavailableError("store object", "KmsThrottled")


def service(world: World, threads: int = 0) -> SweeperService:
    return SweeperService(
        catalog=world.catalog,
        requests=world.faults.around("requests", world.requests),
        results=world.faults.around("results", world.results),
        notifier=world.faults.around("notifier", world.notifier),
        queue_of=world.queue_of,
        dead_letters_of=world.dead_letters_of,
        clock=world.clock,
        count=world.count,
        workforce=in_threads(threads) if threads else one_after_another,
    )


def sweep_for(world: World, minutes: int) -> None:
    for _ in range(minutes):
        service(world).sweep(lambda: True)
        world.clock.advance(MINUTE)


def message_of(row: AsyncRequest) -> QueueMessage:
    return QueueMessage(request_id=row.request_id, text="1")


def test_a_letter_of_a_running_request_ends_nothing_and_leaves_no_document(world: World) -> None:
    row = world.running()
    world.dead_letters["ocr-1"].receive_moved(message_of(row).encoded())
    for _ in range(40):
        world.clock.advance(20)
        row = world.requests.renew(row, 30)
        service(world).sweep(lambda: True)
    assert world.row(row.request_id) == row
    stored = world.results.put_failure(row.request_id, b"of its worker", attempt=row.attempt)
    assert world.results.read(stored) == b"of its worker"


def test_a_letter_does_not_end_a_request_that_has_another_message(world: World) -> None:
    row = world.requests.release(world.running(), RAISED, counts_as_attempt=True)
    world.dead_letters["ocr-1"].receive_moved(message_of(row).encoded())
    world.queues["ocr-1"].send(message_of(row), priority=0, tenant="acme")
    sweep_for(world, 60)
    assert world.row(row.request_id).state is RequestState.QUEUED


def test_a_redrive_that_was_cut_off_before_its_letter_went_is_not_undone(world: World) -> None:
    row = world.requests.give_up(world.accepted(), RAISED)
    world.dead_letters["ocr-1"].receive_moved(message_of(row).encoded())
    reopened = world.requests.reopen(row.request_id)
    world.queues["ocr-1"].send(message_of(row), priority=0, tenant="acme")
    sweep_for(world, 30)
    assert world.row(row.request_id) == reopened


def test_an_end_that_is_refused_leaves_no_document_behind(world: World) -> None:
    row = world.accepted()
    world.clock.advance(600)
    world.faults.fail("requests.expire", UnavailableError("expire", "throttled"))
    service(world).sweep(lambda: True)
    stored = world.results.put_failure(row.request_id, b"first", attempt=0)
    assert world.results.read(stored) == b"first"


def test_a_broken_place_of_one_tenant_delays_no_other_and_nothing_is_published_twice(
    world: World,
) -> None:
    place = Location(bucket="callers", key="1")
    broken = world.accepted(destination=Destination(result=place, failure=place))
    world.clock.advance(600)
    world.faults.fail("results.put_failure", BROKEN, times=1_000)
    sweep_for(world, 30)
    looks = world.counted["SweepStepsFailed"]
    assert world.row(broken.request_id).state is RequestState.EXPIRED
    assert not world.notifier.published
    assert looks < 10


def test_a_place_that_stays_unavailable_for_an_hour_counts_as_one_that_refuses(
    world: World,
) -> None:
    place = Location(bucket="callers", key="1")
    row = world.accepted(destination=Destination(result=place, failure=place))
    world.clock.advance(600)
    world.faults.fail("results.put_failure", BROKEN, times=8)
    sweep_for(world, 150)
    ended = world.row(row.request_id)
    assert ended.notified_at is not None
    assert ended.result
    assert ended.result.uri == f"s3://results/failures/{row.request_id}"
    assert len(world.notifier.published) == 1


def test_the_row_names_its_document_only_once_it_lies_there(world: World) -> None:
    row = world.accepted()
    world.clock.advance(600)
    world.faults.fail("results.put_failure", BROKEN)
    service(world).sweep(lambda: True)
    assert world.row(row.request_id).result is None
    world.clock.advance(MINUTE)
    service(world).sweep(lambda: True)
    result = world.row(row.request_id).result
    assert result
    assert json.loads(world.results.read(result))["errors"]
    assert world.notifier.published[-1].result == result


def test_a_request_that_was_given_back_ends_announced_before_its_row_is_purged(
    world: World,
) -> None:
    row = world.requests.release(world.running(), None, counts_as_attempt=False)
    world.queues["ocr-1"].send(message_of(row), priority=0, tenant="acme")
    world.clock.advance((row.purge_at - world.clock() - timedelta(hours=13)).total_seconds())
    sweep_for(world, 1)
    assert world.row(row.request_id).state is RequestState.QUEUED
    world.clock.advance(3_600)
    sweep_for(world, 1)

    ended = world.row(row.request_id)
    assert (ended.state, ended.faults[0].code) == (
        RequestState.FAILED,
        FaultCode.MODEL_UNAVAILABLE,
    )
    assert ended.notified_at is not None
    assert ended.notified_at < ended.purge_at - timedelta(hours=6)


def test_rows_of_a_newer_version_are_counted_and_stop_no_other(world: World) -> None:
    newer = world.accepted()
    unknown = AsyncRequest.model_validate(newer.model_dump() | {"state": "PAUSED"})
    world.requests._rows[newer.request_id] = unknown  # noqa: SLF001 - no step of ours makes such
    late = world.accepted(tenant=Tenant("other"))
    world.clock.advance(600)
    service(world).sweep(lambda: True)
    assert world.row(newer.request_id) == unknown
    assert world.row(late.request_id).state is RequestState.EXPIRED
    assert world.counted["RowsUnreadable"] == 1
    assert not world.counted["SweepStepsFailed"]


@pytest.mark.parametrize("threads", [1, 8])
def test_threads_share_the_work_and_do_each_job_once(world: World, threads: int) -> None:
    rows = [world.accepted() for _ in range(130)]
    world.clock.advance(600)
    service(world, threads).sweep(lambda: True)
    assert all(world.row(row.request_id).notified_at for row in rows)
    assert len(world.notifier.published) == 130
