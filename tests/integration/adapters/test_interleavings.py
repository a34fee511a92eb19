"""Whatever happens in whatever order, both families tell the same story."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.contracts.errors import ClaimRefusedError, PenstockError
from penstock.contracts.outcome import Canceled, Failed, Succeeded
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, Tenant
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import A_FAILURE, A_RESULT, PREDICT_ERROR, TIMEOUT, a_request

Hands = dict[str, AsyncRequest]
Step = Callable[[RequestStore, RequestId, Hands], AsyncRequest | None]
"""One call of a store; what workers hold is remembered in `Hands`, also when it is stale."""

_WORKERS = ["anna", "bert"]
_OUTCOMES = [
    Succeeded(result=A_RESULT),
    Failed(fault=TIMEOUT, failure=A_FAILURE),
    Canceled(),
]
_request_ids = (RequestId(f"{number:032x}") for number in itertools.count(1))


def _claim(worker: str, claim_id: str) -> Step:
    def step(store: RequestStore, request_id: RequestId, hands: Hands) -> AsyncRequest:
        hands[worker] = store.claim(request_id, worker, lease_seconds=30, claim_id=claim_id)
        return hands[worker]

    return step


def _as_holder(worker: str, call: Callable[[RequestStore, AsyncRequest], AsyncRequest]) -> Step:
    def step(store: RequestStore, _: RequestId, hands: Hands) -> AsyncRequest | None:
        return call(store, hands[worker]) if worker in hands else None

    return step


def _renew(worker: str) -> Step:
    def step(store: RequestStore, _: RequestId, hands: Hands) -> AsyncRequest | None:
        if worker in hands:
            hands[worker] = store.renew(hands[worker], lease_seconds=30)
        return hands.get(worker)

    return step


def _finish(worker: str, outcome: Any) -> Step:
    return _as_holder(worker, lambda store, held: store.finish(held, outcome))


def _release(worker: str, fault: Any, counts_as_attempt: Any) -> Step:
    return _as_holder(
        worker,
        lambda store, held: store.release(held, fault, counts_as_attempt=counts_as_attempt),
    )


def _cancel(force: Any) -> Step:
    return lambda store, request_id, _: store.cancel(request_id, force=force)


def _expire(store: RequestStore, request_id: RequestId, _: Hands) -> AsyncRequest:
    return store.expire(request_id, TIMEOUT)


def _give_up(store: RequestStore, request_id: RequestId, _: Hands) -> AsyncRequest | None:
    seen = store.find(request_id)
    return store.give_up(seen, TIMEOUT) if seen else None


def _give_up_later(worker: str) -> Step:
    return _as_holder(worker, lambda store, seen: store.give_up(seen, TIMEOUT))


def _reopen(store: RequestStore, request_id: RequestId, _: Hands) -> AsyncRequest:
    return store.reopen(request_id)


def _postpone(store: RequestStore, request_id: RequestId, _: Hands) -> None:
    store.postpone(request_id, 100)


def _notify(store: RequestStore, request_id: RequestId, _: Hands) -> None:
    if seen := store.find(request_id):
        store.mark_notified(seen)


workers = st.sampled_from(_WORKERS)
claim_ids = st.integers(1, 20).map(str)  # now and then one is repeated
steps = st.one_of(
    st.builds(_claim, workers, claim_ids),
    st.builds(_claim, workers, claim_ids),  # twice as often, or little happens
    st.builds(_renew, workers),
    st.builds(_finish, workers, st.sampled_from(_OUTCOMES)),
    st.builds(_release, workers, st.sampled_from([PREDICT_ERROR, None]), st.booleans()),
    st.builds(_cancel, st.booleans()),
    st.builds(_give_up_later, workers),
    st.sampled_from([_expire, _give_up, _notify]),
)
redrives = st.sampled_from([_reopen, _postpone])
# Never at the same moment: by it alone the table knows an end that the SDK repeats.
pauses = st.sampled_from([0.000001, 10, 30, 30.000001, 600])


def _told(step: Step, store: RequestStore, request_id: RequestId, hands: Hands) -> object:
    """Return all that a step lets its caller see."""
    try:
        answer: object = step(store, request_id, hands)
    except ClaimRefusedError as refusal:
        answer = (ClaimRefusedError, refusal.current)
    except PenstockError as error:
        answer = (type(error), str(error))
    row = store.find(request_id)
    is_due = any(due.request_id == request_id for due in store.due(1_000))
    stops = list(store.wanted_to_stop([request_id]))
    return answer, row, is_due, stops, store.count_open(Tenant("acme"), 1_000)


@pytest.mark.integration
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=st.lists(st.tuples(pauses, steps | redrives), min_size=4, max_size=16))
def test_both_families_tell_the_same_story(
    aws_ports: Ports, in_memory_ports: Ports, story: list[tuple[float, Step]]
) -> None:
    clock = aws_ports.clock
    request = a_request(clock(), request_id=next(_request_ids))
    aws_hands: Hands = {}
    in_memory_hands: Hands = {}
    aws_ports.requests.accept(request)
    in_memory_ports.requests.accept(request)

    for pause, step in story:
        clock.advance(pause)
        by_aws = _told(step, aws_ports.requests, request.request_id, aws_hands)
        in_memory = _told(step, in_memory_ports.requests, request.request_id, in_memory_hands)
        assert by_aws == in_memory
    assert aws_hands == in_memory_hands


@pytest.mark.spec("baseten", 13)
@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=st.lists(st.tuples(pauses, steps), min_size=4, max_size=30))
def test_a_request_moves_only_as_its_life_cycle_allows(
    in_memory_ports: Ports, story: list[tuple[float, Step]]
) -> None:
    clock, store = in_memory_ports.clock, in_memory_ports.requests
    request = a_request(clock(), request_id=next(_request_ids))
    store.accept(request)
    hands: Hands = {}
    before = request

    for pause, step in story:
        clock.advance(pause)
        _told(step, store, request.request_id, hands)
        after = store.find(request.request_id)
        assert after is not None
        if after.state is not before.state:
            before.moved_to(after.state, clock())  # raises if it is forbidden
        if before.state.is_terminal:
            assert after.model_copy(update={"notified_at": before.notified_at}) == before
        assert 0 <= after.attempts_left <= request.attempts_left
        assert before.attempt <= after.attempt <= before.attempt + 1
        assert (after.lease_owner is not None) is (after.state is RequestState.IN_PROGRESS)
        before = after
