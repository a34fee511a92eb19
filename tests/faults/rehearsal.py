"""Running a scenario in which chosen calls of ports meet a fault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from penstock.contracts.request import AsyncRequest
from tests.faults.recovery import is_settled, orphans, recover
from tests.faults.scenarios import Scenario
from tests.faults.simulation.fates import FAULTS, Fate, costs_nothing
from tests.faults.simulation.turns import Turn
from tests.faults.stack import Stack
from tests.faults.tally import Tally
from tests.faults.world import SWEEP_SECONDS

_MODEL_SECONDS = 2.5
"""Longer than a heartbeat and a look for cancellations."""

_STALL_SECONDS = 20
"""Longer than a lease, and than the run of whoever took over."""

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
    _is_busy: bool = True
    """Whether the scenario has more to come."""

    def run(self) -> AsyncRequest:
        """Run until the request ended or nothing moves; then recover, and return its row."""
        stack, submission = self.stack, self.scenario.submission()
        request_id = submission.request_id("ocr")
        stack.world.receiver.statuses = [*self.scenario.receiver]
        stack.submit(submission)
        self._work()
        if self.scenario.is_canceled_first:
            stack.cancel(request_id, force=False)
            self._work()
        if self.scenario.loss is not None:
            stack.lose_message(0, is_dead_lettered=self.scenario.loss == "dead letter")
        stack.jump(self.scenario.waits_seconds)
        stack.start_worker()
        ends_at = stack.simulation.time() + _LONGEST_SECONDS
        while stack.simulation.time() < ends_at and not self._is_over():
            self._work()
            self._pass_time()
            self._thaw()
        recover(stack)
        return stack.world.row(request_id)

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
        fate = self.plan.get(len(self.calls), Fate.DONE)
        self.calls.append(turn.call.name)
        self.stack.take(turn, fate)

    def _pass_time(self) -> None:
        running = list(self.stack.model_calls)
        self._is_busy = self.scenario.meanwhile(self.stack)
        self._work()
        for _ in range(5):
            self.stack.advance(_MODEL_SECONDS / 5)
            self._work()
        for call in running:
            if call in self.stack.model_calls:
                self.scenario.model(self.stack, call)
        if not self.stack.working:
            self.stack.start_worker()
        if not self.stack.world.queue.message_ids:
            self.stack.jump(SWEEP_SECONDS)
            self.stack.sweep()
        if not self.stack.ids:
            # The caller was not told that its request is accepted, and sends it again.
            self.stack.submit(self.scenario.submission())

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
    return "" if row.state in scenario.ends else f"it ended {row.state}: {row.faults}"


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


def first_failure(scenario: Scenario) -> str | None:
    """Return what goes wrong without a fault or with a single one, if anything does."""
    plans = (plan for fate in FAULTS for plan in single_faults(scenario, fate))
    try:
        if (state := Rehearsal(scenario, {}).run().state) is not scenario.ends[0]:
            return f"it ended {state}"
        return next((wrong for plan in plans if (wrong := failure(scenario, plan, Tally()))), None)
    except AssertionError as broken:
        return str(broken)  # even without a fault
