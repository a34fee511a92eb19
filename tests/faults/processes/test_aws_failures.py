from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from penstock.contracts.request import RequestState
from tests.e2e.stack import wait_until
from tests.faults.processes.crash_points import MODEL, TOO_LARGE_FOR_A_MESSAGE
from tests.faults.processes.faulty_stack import LEASE_SECONDS, FaultyStack
from tests.faults.processes.proxy.aws_calls import Step
from tests.faults.processes.proxy.interference import Fault

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

WRITTEN_ONCE = (Step.STORE, Step.FINISH, Step.MARK)


@dataclass(frozen=True)
class Failure:
    """One call of one step suffers a fault."""

    fault: Fault
    step: Step

    def __str__(self) -> str:
        return f"{self.step} {self.fault}"


FAILURES = tuple(
    Failure(fault, step)
    for fault in Fault
    for step in (Step.CLAIM, Step.LOAD, *WRITTEN_ONCE, Step.PUBLISH, Step.DELETE)
)
every_failure = pytest.mark.parametrize("failure", FAILURES, ids=str)

Requests = Mapping[Failure, str]


@pytest.fixture(scope="module")
def requests(faulty: FaultyStack) -> Requests:
    faulty.ready_worker(MODEL)
    submitted = {failure: meet(faulty, failure) for failure in FAILURES}
    wait_until(
        lambda: all(faulty.row(each).notified_at for each in submitted.values()),
        60,
        "every request to be announced",
    )
    wait_until(lambda: not faulty.messages(MODEL), 60, "the lanes to be empty")
    return submitted


def meet(faulty: FaultyStack, failure: Failure) -> str:
    """Submit a request and wait until it has met its failure."""
    injected = faulty.proxy.injected[failure.fault]
    faulty.proxy.inject(failure.fault, steps={failure.step}, times=1)
    filler = TOO_LARGE_FOR_A_MESSAGE if failure.step is Step.LOAD else ""
    request_id = faulty.stack.submit(MODEL, {"label": str(failure), "filler": filler})
    wait_until(lambda: faulty.proxy.injected[failure.fault] > injected, 30, str(failure))
    return request_id


@every_failure
def test_a_request_succeeds_whatever_call_fails(
    faulty: FaultyStack, requests: Requests, failure: Failure
) -> None:
    assert faulty.row(requests[failure]).state is RequestState.SUCCEEDED


@every_failure
def test_nothing_is_written_twice_whatever_call_fails(
    faulty: FaultyStack, requests: Requests, failure: Failure
) -> None:
    written = {step: faulty.proxy.effects[step, requests[failure]] for step in WRITTEN_ONCE}
    assert written == dict.fromkeys(WRITTEN_ONCE, 1)


@every_failure
def test_the_world_is_told_under_one_event_id_whatever_call_fails(
    faulty: FaultyStack, requests: Requests, failure: Failure
) -> None:
    assert len(set(faulty.subscriber.event_ids(requests[failure]))) == 1


def test_an_answer_is_kept_while_it_cannot_be_stored(faulty: FaultyStack) -> None:
    faulty.proxy.inject(Fault.SERVER_ERROR, steps={Step.STORE})
    request_id = faulty.stack.submit(MODEL, "kept")
    started = faulty.wait_for_start(request_id)

    def is_outlasted() -> bool:
        lease_until = faulty.row(request_id).lease_until
        return lease_until is not None and lease_until.timestamp() > started.at + 3 * LEASE_SECONDS

    try:
        wait_until(is_outlasted, 60, "heartbeats while S3 fails")
    finally:
        faulty.proxy.calm()
    wait_until(lambda: faulty.row(request_id).notified_at, 60, "its announcement")
    assert faulty.row(request_id).attempt == 1
    assert len(faulty.records.of(request_id, "start")) == 1
