"""Single safeguards taken out; the suite must notice each."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.intake.service import IntakeService
from functions.sweeper import service
from functions.sweeper.dead_letters import DeadLetters
from functions.sweeper.due_rows import DueRows
from functions.sweeper.ends import Ends
from penstock.adapters import sweeping, transitions
from penstock.adapters.in_memory import InMemoryRequestStore, request_store
from penstock.adapters.in_memory.request_queue import InMemoryRequestQueue
from penstock.contracts import request
from penstock.contracts.errors import UnavailableError
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Failed, Fault, FaultCode, ServerRefusal, Succeeded
from penstock.contracts.ports.dead_letters import DeadLetter
from penstock.contracts.ports.requests import Delivery, QueueDepth, RequestQueue
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.contracts.submission import Submission
from penstock.protocol.endings import Endings
from penstock.protocol.request_protocol import RequestProtocol
from penstock.protocol.steps import Step
from runtime_image.dispatcher import settling
from runtime_image.dispatcher.model_calls import ModelCalls
from runtime_image.dispatcher.model_server.restarts import Restarts
from runtime_image.dispatcher.persistence import CallersPlaces, End, persistently
from runtime_image.dispatcher.scheduling import lanes
from runtime_image.dispatcher.scheduling.endurance import Endurance
from runtime_image.dispatcher.scheduling.gate import Gate
from runtime_image.dispatcher.scheduling.holding import Heartbeats, Held, Interruption
from tests.faults.mutants import Mutant
from tests.faults.simulation.fates import Fate
from tests.faults.simulation.stores import MisbehavingStore


def _count_what_is_in_flight_as_lost(patch: pytest.MonkeyPatch) -> None:
    depth = InMemoryRequestQueue.depth

    def mutant(self: InMemoryRequestQueue) -> QueueDepth:
        return replace(depth(self), in_progress=0)

    patch.setattr(InMemoryRequestQueue, "depth", mutant)


class _Abandoned(AsyncRequest):
    def is_leased(self, _: datetime) -> bool:
        return False

    def is_abandoned(self, _: datetime) -> bool:
        return True


def _take_what_is_leased_for_abandoned(patch: pytest.MonkeyPatch) -> None:
    tend = DueRows.tend

    def mutant(self: DueRows, row: AsyncRequest) -> AsyncRequest | None:
        is_held = row.state is RequestState.IN_PROGRESS
        return tend(self, _Abandoned.model_construct(**dict(row)) if is_held else row)

    patch.setattr(DueRows, "tend", mutant)


def _go_on_without_a_lease(patch: pytest.MonkeyPatch) -> None:
    interrupt = Held.interrupt

    def mutant(self: Held, why: Interruption) -> None:
        if why is not Interruption.LEASE_LOST:
            interrupt(self, why)

    patch.setattr(Held, "interrupt", mutant)


def _recognize_no_claim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "is_claim", lambda *_: False)


def _recognize_no_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "was_left_so", lambda *_: False)


def _give_clocks_no_margin(patch: pytest.MonkeyPatch) -> None:
    for module in (request, sweeping):
        patch.setattr(module, "ABANDONED_AFTER", timedelta(0))


def _let_a_letter_end_what_lives(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: DeadLetters, letter: DeadLetter) -> AsyncRequest | None:
        row = self.requests.find(letter.request_id) if letter.request_id else None
        if row is None or row.state.is_terminal or letter.reason:
            return None
        fault = Fault(code=FaultCode.INTERNAL_SERVER_ERROR, message="dead-lettered")
        return self.endings.give_up(row, fault)

    patch.setattr(DeadLetters, "tend", mutant)


def _let_heartbeats_wait_for_each_other(patch: pytest.MonkeyPatch) -> None:
    async def run(self: Heartbeats) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            await self.beat()

    async def without_limit(self: Heartbeats, call: Callable[..., Any], *args: Any) -> Any:
        return await self._threads(call, *args)

    patch.setattr(Heartbeats, "run", run)
    patch.setattr(Heartbeats, "_promptly", without_limit)


def _survive_only_what_is_foreseen(patch: pytest.MonkeyPatch) -> None:
    survives = Endurance.__exit__

    def mutant(self: Endurance, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        if error is not None and not isinstance(error, UnavailableError):
            return False
        return survives(self, kind, error, traceback)

    patch.setattr(Endurance, "__exit__", mutant)


def _fence_no_announcement(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: InMemoryRequestStore, seen: AsyncRequest) -> AsyncRequest | None:
        return self.find(seen.request_id)

    patch.setattr(InMemoryRequestStore, "_still", mutant)


def _withdraw_only_when_aws_fails(patch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def mutant(
        self: IntakeService, accepted: AsyncRequest, submission: Submission
    ) -> Iterator[None]:
        try:
            yield
        except UnavailableError:
            self.withdraw(accepted, submission)
            raise

    patch.setattr(IntakeService, "withdrawing", mutant)


def _forget_what_waits_for_days(patch: pytest.MonkeyPatch) -> None:
    never = property(lambda _: datetime(2999, 1, 1, tzinfo=UTC))
    patch.setattr(AsyncRequest, "must_end_by", never)


def _read_due_rows_all_or_none(patch: pytest.MonkeyPatch) -> None:
    due = MisbehavingStore.due

    def mutant(self: MisbehavingStore, limit: int) -> Any:
        if self.unreadable:
            raise UnavailableError("due", "a row cannot be read")
        return due(self, limit)

    patch.setattr(MisbehavingStore, "due", mutant)


def _let_the_clock_stand_still_once_claimed(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: AsyncRequest, now: datetime) -> bool:
        waits = self.state is RequestState.QUEUED and not self.was_claimed
        return waits and self.deadline_at <= now

    patch.setattr(AsyncRequest, "is_past_deadline", mutant)


def _fail_in_other_words(patch: pytest.MonkeyPatch) -> None:
    expire = Endings.expire

    def mutant(self: Endings, row: AsyncRequest) -> AsyncRequest | None:
        if row.refusal is None:
            return expire(self, row)
        fault = Fault(code=FaultCode.MODEL_UNAVAILABLE, message="waited too long")
        return self.give_up(row, fault)

    patch.setattr(Endings, "expire", mutant)


def _ask_again_in_the_slot(patch: pytest.MonkeyPatch) -> None:
    async def mutant(*_: object) -> bool:
        await asyncio.sleep(1)
        return True

    patch.setattr(ModelCalls, "_asks_again", mutant)


def _rest_as_short_each_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ServerRefusal, "rest_seconds", property(lambda _: 2.0))


def _restart_at_once(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: Restarts) -> None:
        if self._closed and not self._readiness.must_restart:
            self._readiness.ask_restart()

    patch.setattr(Restarts, "_decide", mutant)


def _use_slots_of_closed_calls(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Restarts, "withheld", lambda _: 0)


def _insist_without_end(patch: pytest.MonkeyPatch) -> None:
    async def mutant(self: CallersPlaces, _: End, step: Callable[..., Any], __: object) -> Any:
        return await persistently(lambda: step(self._threads))

    patch.setattr(CallersPlaces, "insist", mutant)


def _count_what_is_set_aside(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gate, "set_aside", lambda *_: None)


def _announce_before_preparing(patch: pytest.MonkeyPatch) -> None:
    prepared = Ends._prepared  # noqa: SLF001 - the mistake is made inside

    def mutant(self: Ends, ended: AsyncRequest) -> AsyncRequest:
        self.notifier.publish([Notification.of(ended)])
        return prepared(self, ended)

    patch.setattr(Ends, "_prepared", mutant)


def _look_at_what_failed_with_each_sweep(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ends, "_rest", lambda *_: None)


def _tend_the_longest_due_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(request_store, "in_turn", lambda rows, _: list(rows))


def _look_at_letters_last(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service, "_in_between", lambda first, _: first)


def _put_back_without_end(patch: pytest.MonkeyPatch) -> None:
    def mutant(queue: RequestQueue, deliveries: Sequence[Delivery], seconds: float) -> None:
        queue.hide(deliveries, seconds)

    for module in (settling, lanes):
        patch.setattr(module, "put_back", mutant)


def _run_again_for_a_place_that_refuses(patch: pytest.MonkeyPatch) -> None:
    finish = RequestProtocol.end

    def mutant(self: RequestProtocol, request: AsyncRequest, end: Succeeded | Failed) -> Step:
        fault = end.fault if isinstance(end, Failed) and request.attempts_left > 0 else None
        if fault is not None and fault.code is FaultCode.INTERNAL_SERVER_ERROR:
            return self.fail(request, fault)
        return finish(self, request, end)

    patch.setattr(RequestProtocol, "end", mutant)


SAFEGUARDS = (
    Mutant(
        "busy servers wear a message out",
        _put_back_without_end,
        "model server not ready for long",
    ),
    Mutant(
        "a refused request waits without end",
        _let_the_clock_stand_still_once_claimed,
        "refused for ever",
    ),
    Mutant(
        "a refused request fails in other words than its server's",
        _fail_in_other_words,
        "refused for ever",
    ),
    Mutant(
        "a refused request keeps its slot",
        _ask_again_in_the_slot,
        "refused once",
    ),
    Mutant(
        "a refused request is asked for as often as at first",
        _rest_as_short_each_time,
        "refused for twenty minutes",
    ),
    Mutant("a restart interrupts neighbours", _restart_at_once, "beside one that is stopped"),
    Mutant(
        "the slot of a closed call is used",
        _use_slots_of_closed_calls,
        "beside one that is stopped",
    ),
    Mutant(
        "the model runs again for a place that refuses for good",
        _run_again_for_a_place_that_refuses,
        "a caller's place refuses",
    ),
    Mutant(
        "an end waits without end for a caller's place",
        _insist_without_end,
        "a caller's place is unavailable",
    ),
    Mutant(
        "ends that wait for callers' places close the gate",
        _count_what_is_set_aside,
        "behind others whose place is unavailable",
    ),
    Mutant(
        "an end is announced before its place took its document",
        _announce_before_preparing,
        "expires while its caller's place is unavailable",
    ),
    Mutant(
        "a broken place is tried with each sweep",
        _look_at_what_failed_with_each_sweep,
        "expires while its caller's place is unavailable",
    ),
    Mutant(
        "the rows of one tenant go first",
        _tend_the_longest_due_first,
        "expires beside many of another tenant",
    ),
    Mutant(
        "letters are looked at last",
        _look_at_letters_last,
        "dead-lettered beside many that are due",
    ),
    Mutant(
        "a message in flight counts as lost",
        _count_what_is_in_flight_as_lost,
        "retry held by another worker",
    ),
    Mutant(
        "a leased row is treated as abandoned",
        _take_what_is_leased_for_abandoned,
        "runs while the index lags",
    ),
    Mutant(
        "a run goes on after its unrenewed lease lapsed",
        _go_on_without_a_lease,
        "lease cannot be renewed",
    ),
    Mutant(
        "a repeated claim does not know itself",
        _recognize_no_claim,
        "one attempt",
        Fate.REPEATED,
    ),
    Mutant("a repeated end does not know itself", _recognize_no_end, "fails once", Fate.REPEATED),
    Mutant(
        "a worker's clock may not be behind",
        _give_clocks_no_margin,
        "last attempt half a minute behind",
    ),
    Mutant(
        "a letter ends a request that lives",
        _let_a_letter_end_what_lives,
        "a copy is dead-lettered",
    ),
    Mutant(
        "a heartbeat that hangs delays the others",
        _let_heartbeats_wait_for_each_other,
        "a heartbeat hangs",
    ),
    Mutant(
        "an unexpected error ends a worker",
        _survive_only_what_is_foreseen,
        "succeeds",
        Fate.UNEXPECTED,
    ),
    Mutant(
        "what is told of an end is not fenced by its attempt",
        _fence_no_announcement,
        "redriven",
        Fate.STALLED,
    ),
    Mutant(
        "a request is withdrawn for one kind of error only",
        _withdraw_only_when_aws_fails,
        "sent without a key",
        Fate.UNEXPECTED,
    ),
    Mutant(
        "a request that waits for days is forgotten",
        _forget_what_waits_for_days,
        "not taken again for a week",
    ),
    Mutant(
        "a row that cannot be read hides the others",
        _read_due_rows_all_or_none,
        "beside a row that cannot be read",
    ),
)
