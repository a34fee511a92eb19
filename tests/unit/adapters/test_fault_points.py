"""Faults on demand around any port."""

import pytest

from penstock.adapters.in_memory import (
    CrashError,
    FaultPoints,
    InMemoryNotifier,
    InMemoryPayloadStore,
)
from penstock.contracts.errors import UnavailableError
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import RequestId

REQUEST_ID = RequestId("0" * 32)


@pytest.fixture
def faults() -> FaultPoints:
    return FaultPoints()


@pytest.fixture
def payloads(faults: FaultPoints) -> InMemoryPayloadStore:
    return faults.around("payloads", InMemoryPayloadStore())


def put(payloads: InMemoryPayloadStore, body: bytes = b"1") -> StoredObject:
    return payloads.put(REQUEST_ID, body, "text/plain")


def test_without_a_plan_calls_go_through(payloads: InMemoryPayloadStore) -> None:
    assert payloads.read(put(payloads)) == b"1"


def test_a_call_fails_as_often_as_planned_and_does_nothing(
    payloads: InMemoryPayloadStore, faults: FaultPoints
) -> None:
    faults.fail("payloads.put", UnavailableError("put", "throttled"), times=2)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            put(payloads, b"lost")
    assert payloads.read(put(payloads)) == b"1"


def test_a_lost_answer_leaves_the_effect(
    payloads: InMemoryPayloadStore, faults: FaultPoints
) -> None:
    faults.fail_after("payloads.put", UnavailableError("put", "timeout"))
    with pytest.raises(UnavailableError):
        put(payloads, b"kept")
    assert payloads.read(put(payloads)) == b"kept"


def test_a_crash_before_and_a_crash_after(
    payloads: InMemoryPayloadStore, faults: FaultPoints
) -> None:
    faults.crash_before("payloads.put")
    with pytest.raises(CrashError, match=r"^before "):
        put(payloads, b"lost")
    faults.crash_after("payloads.put")
    with pytest.raises(CrashError, match=r"^after "):
        put(payloads, b"kept")
    assert payloads.read(put(payloads)) == b"kept"


def test_a_crash_is_survived_by_no_handler_of_exceptions() -> None:
    assert not issubclass(CrashError, Exception)


def test_a_fault_that_never_happened_is_told(
    payloads: InMemoryPayloadStore, faults: FaultPoints
) -> None:
    faults.crash_after("payloads.put")
    assert faults.pending == ["after payloads.put"]
    with pytest.raises(CrashError):
        put(payloads)
    assert faults.pending == []


def test_ports_of_one_test_are_told_apart_by_name(faults: FaultPoints) -> None:
    one = faults.around("one", InMemoryNotifier())
    other = faults.around("other", InMemoryNotifier())
    faults.crash_before("one.publish")

    assert other.publish([]) == []
    with pytest.raises(CrashError):
        one.publish([])
    assert one.published == []
