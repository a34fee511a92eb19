"""Faults on demand around any port."""

import pytest

from penstock.adapters.in_memory import (
    CrashError,
    FaultPoints,
    InMemoryNotifier,
    InMemoryResultStore,
)
from penstock.contracts.errors import UnavailableError
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import RequestId

REQUEST_ID = RequestId("0" * 32)


@pytest.fixture
def faults() -> FaultPoints:
    return FaultPoints()


@pytest.fixture
def results(faults: FaultPoints) -> InMemoryResultStore:
    return faults.around("results", InMemoryResultStore())


def put(results: InMemoryResultStore, body: bytes = b"1") -> StoredObject:
    return results.put_result(REQUEST_ID, body, "text/plain")


def test_without_a_plan_calls_go_through(results: InMemoryResultStore) -> None:
    assert results.read(put(results)) == b"1"


def test_a_call_fails_as_often_as_planned_and_does_nothing(
    results: InMemoryResultStore, faults: FaultPoints
) -> None:
    faults.fail("results.put_result", UnavailableError("put", "throttled"), times=2)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            put(results, b"lost")
    assert results.read(put(results)) == b"1"


def test_a_lost_answer_leaves_the_effect(results: InMemoryResultStore, faults: FaultPoints) -> None:
    faults.fail_after("results.put_result", UnavailableError("put", "timeout"))
    with pytest.raises(UnavailableError):
        put(results, b"kept")
    assert results.read(put(results)) == b"kept"


def test_a_crash_before_and_a_crash_after(
    results: InMemoryResultStore, faults: FaultPoints
) -> None:
    faults.crash_before("results.put_result")
    with pytest.raises(CrashError, match=r"^before "):
        put(results, b"lost")
    faults.crash_after("results.put_result")
    with pytest.raises(CrashError, match=r"^after "):
        put(results, b"kept")
    assert results.read(put(results)) == b"kept"


def test_a_crash_is_survived_by_no_handler_of_exceptions() -> None:
    assert not issubclass(CrashError, Exception)


def test_a_fault_that_never_happened_is_told(
    results: InMemoryResultStore, faults: FaultPoints
) -> None:
    faults.crash_after("results.put_result")
    assert faults.pending == ["after results.put_result"]
    with pytest.raises(CrashError):
        put(results)
    assert faults.pending == []


def test_ports_of_one_test_are_told_apart_by_name(faults: FaultPoints) -> None:
    one = faults.around("one", InMemoryNotifier())
    other = faults.around("other", InMemoryNotifier())
    faults.crash_before("one.publish")

    assert other.publish([]) == []
    with pytest.raises(CrashError):
        one.publish([])
    assert one.published == []
