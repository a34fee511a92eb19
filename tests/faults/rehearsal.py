"""Running a scenario in which chosen calls of ports meet a fault."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from penstock.contracts.request import AsyncRequest, RequestState
from tests.faults.promises import PLACES
from tests.faults.recovery import is_settled, orphans, recover
from tests.faults.scenarios import Scenario
from tests.faults.simulation.fates import ENDS_A_CALL, FAULTS, Fate, costs_nothing
from tests.faults.simulation.turns import Call, Turn
from tests.faults.stack import Stack
from tests.faults.tally import Tally
from tests.faults.world import SWEEP_SECONDS

_MODEL_SECONDS = 2.5
"""Longer than a heartbeat and a look for cancellations."""

_STALL_SECONDS = 20
"""Longer than a lease, and than the run of whoever took over."""

_GOODBYE_SECONDS = 1.5
"""How long after its lease a run may go on: a heartbeat notices it."""

_RETRY_SECONDS = 15
"""The longest pause between tries of a step that AWS failed, and some more."""

_LONGEST_SECONDS = 1_500

Plan = Mapping[int, Fate]
"""What becomes of the n-th call of a port; the others succeed."""


@dataclass
class Rehearsal:
    """One run of a scenario; `calls` are the names of the calls in their order."""

    scenario: Scenario
    plan: Plan
    stack: Stack = field(default_factory=Stack)
    calls: list[str] = field(default_factory=list)
    _frozen_seconds: float = 0
    _next_sweep: float = 0
    _is_busy: bool = True
    """Whether the scenario has more to come."""

    def run(self) -> AsyncRequest:
        """Run until the request ended or nothing moves; then recover, and return its row."""
        try:
            return self._run()
        finally:
            self.stack.close()

    def _run(self) -> AsyncRequest:
        stack, submission = self.stack, self.scenario.submission()
        stack.world.receiver.statuses = [*self.scenario.receiver]
        stack.world.requests.index_lag.seconds = self.scenario.index_lag_seconds
        stack.world.requests.unreadable |= self.scenario.unreadable
        stack.restarts_models = self.scenario.restarts_models
        stack.places_fail = bool(self.scenario.refuses_places) or self.scenario.has_closed_places
        if self.scenario.has_closed_places:
            stack.world.results.closed_buckets.add(PLACES)
        self.scenario.others(stack)
        stack.submit(submission)
        self._work()
        if self.scenario.is_canceled_first and not stack.ids:
            stack.submit(submission)  # its caller heard an error, or nothing
            self._work()
        if self.scenario.is_canceled_first:
            stack.cancel(stack.ids[0], force=False)
            self._work()
        if self.scenario.loss is not None:
            stack.lose_message(0, is_dead_lettered=self.scenario.loss == "dead letter")
        stack.jump(self.scenario.waits_seconds)
        self._start_worker()
        ends_at = stack.simulation.time() + _LONGEST_SECONDS
        while stack.simulation.time() < ends_at and not self._is_over():
            self._work()
            self._pass_time()
            self._thaw()
        recover(stack)
        return stack.world.row(stack.ids[-1])

    def _is_over(self) -> bool:
        rows = self.stack.rows()
        quiet = not self.stack.world.queue.message_ids and not self.stack.world.webhooks.messages
        done = bool(rows) and all(is_settled(row) for row in rows) and quiet
        return done and not self._is_busy

    def _work(self) -> None:
        while runnable := self.stack.runnable():
            self._take(runnable[0])
            while self.stack.deliver_webhook():
                pass

    def _take(self, turn: Turn) -> None:
        fate = self.plan.get(len(self.calls), self._usual_fate(turn.call))
        self.calls.append(turn.call.name)
        self.stack.take(turn, fate)

    def _usual_fate(self, call: Call) -> Fate:
        is_at_a_place = call.kwargs.get("place") is not None
        if call.name in self.scenario.refuses or (
            is_at_a_place and call.name in self.scenario.refuses_places
        ):
            return Fate.REFUSED
        if call.name == self.scenario.hangs_once and call.name not in self.calls:
            return Fate.HUNG
        return Fate.DONE

    def _pass_time(self) -> None:
        running = list(self.stack.model_calls)
        self._is_busy = self.scenario.meanwhile(self.stack)
        self._work()
        for _ in range(5):
            self.stack.advance(_MODEL_SECONDS / 5)
            self._work()
            self._check_leases()
        for call in running:
            if call in self.stack.model_calls:
                self.scenario.model(self.stack, call)
        if not self.stack.working:
            self._start_worker()
        self._sweep_in_time()
        if not self.stack.world.queue.message_ids:
            self.stack.jump(SWEEP_SECONDS)
            self.stack.sweep(self.scenario.calls_of_a_sweep)
        if not self.stack.ids:
            # The caller was not told that its request is accepted, and sends it again.
            self.stack.submit(self.scenario.submission())

    def _start_worker(self) -> None:
        if self.scenario.has_capacity(self.stack):
            self.stack.start_worker(
                self.scenario.slots, skew_seconds=self.scenario.worker_skew_seconds
            )

    def _sweep_in_time(self) -> None:
        every, now = self.scenario.sweeps_every_seconds, self.stack.simulation.time()
        if every is not None and now >= self._next_sweep:
            self._next_sweep = now + every
            self.stack.sweep(self.scenario.calls_of_a_sweep)

    def _check_leases(self) -> None:
        """A worker that is awake must soon leave a run whose lease it could not renew."""
        for call in self.stack.model_calls:
            until = self.stack.ledger.leased_until(call.worker.name, call.request_id)
            if until is None or call.worker.is_frozen:
                continue
            lapsed = (call.worker.clock() - until).total_seconds()
            awake = self.stack.simulation.time() - max(call.began, self.stack.thawed_at)
            is_leaving = min(lapsed, awake) <= _GOODBYE_SECONDS
            self.stack.ledger.check(
                is_leaving, call.request_id, "goes on although its lease lapsed"
            )

    def _thaw(self) -> None:
        """Let stalled processes go on when it hurts most: while another does their work."""
        frozen = [process for process in self.stack.simulation.processes if process.is_frozen]
        self._frozen_seconds = self._frozen_seconds + _MODEL_SECONDS if frozen else 0
        has_heir = any(call.worker not in frozen for call in self.stack.model_calls)
        if frozen and (has_heir or self._frozen_seconds > _STALL_SECONDS):
            self.stack.thaw()


@cache
def usual_end(scenario: Scenario) -> AsyncRequest:
    """Return how a scenario ends without faults."""
    return Rehearsal(scenario, {}).run()


def calls_of(scenario: Scenario) -> list[str]:
    """Return the names of the calls that a scenario makes without faults."""
    rehearsal = Rehearsal(scenario, {})
    rehearsal.run()
    return rehearsal.calls


def single_faults(scenario: Scenario, fate: Fate) -> Iterator[Plan]:
    """Yield the plans in which one call meets `fate`."""
    for position, call in enumerate(calls_of(scenario)):
        if fate.may_meet(call):
            yield {position: fate}


def failure(scenario: Scenario, plan: Plan, tally: Tally) -> str | None:
    """Return what went wrong under a plan, with the calls up to its last fault."""
    rehearsal = Rehearsal(scenario, plan)
    try:
        row = rehearsal.run()
    except AssertionError as broken:
        wrong = str(broken)
    else:
        wrong = _wrong_end(rehearsal, row) or _left_behind(rehearsal)
    for position, fate in plan.items():
        if position < len(rehearsal.calls):
            tally.faults[rehearsal.calls[position], fate] += 1
    tally.count(rehearsal.stack)
    return f"{_described(rehearsal)}: {wrong}" if wrong else None


def _wrong_end(rehearsal: Rehearsal, row: AsyncRequest) -> str:
    scenario = rehearsal.scenario
    if all(costs_nothing(fate, rehearsal.calls[n]) for n, fate in rehearsal.plan.items()):
        usual = usual_end(scenario)
        if (row.state, row.failed_attempts) != (usual.state, usual.failed_attempts):
            return f"it ended {row.state} in attempt {row.failed_attempts}: {row.faults}"
        at_once = {rehearsal.calls[n] for n in rehearsal.plan} <= {"requests.finish"}
        may_wait = 1 if at_once else SWEEP_SECONDS + _RETRY_SECONDS
        if _announced_after(row) > _announced_after(usual) + may_wait:
            return f"it was announced {_announced_after(row)} s after its end"
    if all(fate in ENDS_A_CALL for fate in rehearsal.plan.values()):
        left = [each for each in rehearsal.stack.rows() if _is_nobodys(rehearsal, each)]
        if left:
            return f"its caller heard an error, and it is {left[0].state}"
    return "" if row.state in scenario.ends else f"it ended {row.state}: {row.faults}"


def _announced_after(row: AsyncRequest) -> float:
    return (row.notified_at - row.status_at).total_seconds() if row.notified_at else 0


def _is_nobodys(rehearsal: Rehearsal, row: AsyncRequest) -> bool:
    """Whether a request waits or ran that its caller was never told of, and cannot find again."""
    is_known = rehearsal.stack.ledger.stories[row.request_id].is_acknowledged
    return (
        not is_known and not rehearsal.scenario.has_key and row.state is not RequestState.CANCELED
    )


def _left_behind(rehearsal: Rehearsal) -> str:
    """Return the objects that no row names, though they could have been avoided.

    Objects cannot be fenced. One stays behind if its process stopped for longer than its lease
    while it was being written. The row names the object that counts.
    """
    in_flight = {"results.put_result", "results.put_failure", "requests.finish"}
    for position, fate in rehearsal.plan.items():
        if fate is Fate.STALLED and in_flight.intersection(rehearsal.calls[position:][:1]):
            return ""
    return ", ".join(f"{key} is left behind" for key in orphans(rehearsal.stack))


def _described(rehearsal: Rehearsal) -> str:
    met = [(n, fate) for n, fate in rehearsal.plan.items() if n < len(rehearsal.calls)]
    return ", ".join(f"{fate} {rehearsal.calls[n]} (call {n})" for n, fate in met)


def first_failure(scenario: Scenario, fates: Iterable[Fate] = FAULTS) -> str | None:
    """Return what goes wrong without a fault or with a single one, if anything does."""
    plans = (plan for fate in fates for plan in single_faults(scenario, fate))
    failures = (wrong for plan in plans if (wrong := failure(scenario, plan, Tally())))
    return unexpected_end(scenario) or next(failures, None)


def unexpected_end(scenario: Scenario) -> str | None:
    """Return what goes wrong without any fault, if anything does."""
    rehearsal = Rehearsal(scenario, {})
    try:
        row = rehearsal.run()
    except AssertionError as broken:
        return str(broken)
    if row.state is not scenario.ends[0] or scenario.attempts not in {None, row.failed_attempts}:
        return f"it ended {row.state} in attempt {row.failed_attempts}"
    return _too_much(rehearsal, row)


def _too_much(rehearsal: Rehearsal, row: AsyncRequest) -> str | None:
    """Return what took too long or happened too often without any fault."""
    scenario = rehearsal.scenario
    took_seconds = (row.status_at - row.created_at).total_seconds()
    if scenario.ends_within_seconds is not None and took_seconds > scenario.ends_within_seconds:
        return f"it ended after {took_seconds} s"
    for call, limit in scenario.at_most:
        if (made := rehearsal.calls.count(call)) > limit:
            return f"{made} times {call}"
    for request_id, story in rehearsal.stack.ledger.stories.items():
        if len(story.event_ids) > 1:
            return f"{request_id} was announced {len(story.event_ids)} times"
    return None
