"""One chaos run: submit, kill, wait for the end of everything, judge."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from examples.demo.webhook_receiver import WebhookReceiver
from penstock.contracts.request import AsyncRequest, RequestState, Tenant
from penstock.local.stack import TENANT
from tests.faults.processes.chaos.killer import Kill, Killer
from tests.faults.processes.chaos.plan import Plan, Report
from tests.faults.processes.evidence import Record
from tests.faults.processes.faulty_stack import FaultyStack, faulty_stack
from tests.faults.processes.proxy.aws_calls import Step
from tests.faults.processes.proxy.interference import Fault

MODEL = "chaos"
_WORKERS = 8
_CALLERS = 4
_LOOK_SECONDS = 0.5
_REPEATED_EVERY = 10
"""Every so many submissions are made twice at once, with the same idempotency key."""

_RETRIES = {"max_attempts": 10, "initial_delay_ms": 100, "max_delay_ms": 1_000}
_WRITTEN_ONCE = (Step.STORE, Step.FINISH, Step.MARK)


def run_chaos(plan: Plan, folder: Path) -> Report:
    """Run a stack below `folder`, wreck it as planned, and tell what came of it."""
    autoscaling = {"min_replica": _WORKERS, "max_replica": _WORKERS, "concurrency_target": 4}
    settings = {
        "autoscaling": autoscaling,
        "drain_seconds": 3,
        "environment_variables": {"FAIL_SHARE": str(plan.model_fail_share)},
    }
    with (
        faulty_stack(folder, {MODEL: settings}, seed=plan.seed) as faulty,
        WebhookReceiver(faulty.stack.signing_secrets()) as receiver,
    ):
        return _Run(plan, faulty, receiver).report()


@dataclass(frozen=True)
class _Run:
    plan: Plan
    faulty: FaultyStack
    receiver: WebhookReceiver

    def report(self) -> Report:
        faulty, plan = self.faulty, self.plan
        assert faulty.subscriber  # from now on it hears everything
        faulty.wait_for_start(faulty.stack.submit(MODEL, "warm"))
        began = time.monotonic()
        deadline = began + plan.limit_seconds
        faulty.proxy.inject(*Fault, steps=tuple(Step), share=plan.fault_share)
        with Killer(faulty, MODEL, plan.seconds_between_kills, plan.seed) as killer:
            accepted = self._submit()
            self._wait_until_settled(accepted, deadline)
        faulty.proxy.calm()
        seconds = time.monotonic() - began
        rows = [faulty.row(request_id) for request_id in accepted]
        lost = [row for row in rows if self._is_lost(row)]
        undelivered = [row for row in rows if self._is_undelivered(row, deadline)]
        return Report(
            requests=len(rows),
            kills=len(killer.kills),
            faults=faulty.proxy.injected.total(),
            failed=sum(row.state is RequestState.FAILED for row in rows),
            lost=len(lost),
            duplicated=sum(map(self._duplicates, rows)),
            undelivered=len(undelivered),
            model_calls=sum(record.event == "start" for record in faulty.records.all()),
            seconds=seconds,
            recoveries=tuple(recoveries(killer.kills, faulty.records.all())),
            broken=(
                *(f"lost: {row}" for row in lost),
                *(f"duplicated: {row}" for row in rows if self._duplicates(row)),
                *(f"undelivered: {row}" for row in undelivered),
            ),
        )

    def _submit(self) -> Sequence[str]:
        luck = random.Random(self.plan.seed)  # noqa: S311 - chance, not secrets
        wishes = [
            {
                "model_input": {"sleep_seconds": luck.random(), "label": str(number)},
                "priority": luck.randrange(3),
                "webhook_endpoint": self.receiver.url,
                "max_time_in_queue_seconds": 3_600,
                "inference_retry_config": _RETRIES,
            }
            for number in range(self.plan.requests)
        ]
        with ThreadPoolExecutor(_CALLERS) as callers, self.faulty.stack.caller() as http:

            def submit(number: int) -> str:
                answer = http.post(
                    f"/models/{MODEL}/production/async_predict",
                    json=wishes[number],
                    headers={"Idempotency-Key": f"chaos-{number}"},
                )
                assert answer.status_code == httpx.codes.CREATED, answer.text
                request_id: str = answer.json()["request_id"]
                return request_id

            numbers = range(self.plan.requests)
            order = [n for n in numbers for _ in range(1 if n % _REPEATED_EVERY else 2)]
            answers = list(zip(order, callers.map(submit, order), strict=True))
        accepted = dict(answers)
        assert all(accepted[number] == request_id for number, request_id in answers)
        return list(accepted.values())

    def _wait_until_settled(self, accepted: Sequence[str], deadline: float) -> None:
        tenant = Tenant(TENANT)
        while time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            if (
                not self.faulty.requests.count_open(tenant, 1)
                and not self.faulty.messages(MODEL)
                and all(self.faulty.row(request_id).notified_at for request_id in accepted)
            ):
                return

    def _is_lost(self, row: AsyncRequest) -> bool:
        return (
            row.state not in {RequestState.SUCCEEDED, RequestState.FAILED}
            or not self.faulty.subscriber.event_ids(row.request_id)
            or self.faulty.proxy.effects[Step.STORE, row.request_id] == 0
        )

    def _is_undelivered(self, row: AsyncRequest, deadline: float) -> bool:
        left = max(0.0, deadline - time.monotonic())
        return self.receiver.wait_for(row.request_id, left) is None

    def _duplicates(self, row: AsyncRequest) -> int:
        events = set(self.faulty.subscriber.event_ids(row.request_id))
        effects = [self.faulty.proxy.effects[step, row.request_id] for step in _WRITTEN_ONCE]
        return sum(max(0, count - 1) for count in (*effects, len(events)))


def recoveries(kills: Sequence[Kill], records: Sequence[Record]) -> list[float]:
    """Return how long each request that a kill hit waited for its next start."""
    starts: dict[str, list[float]] = {}
    for record in records:
        if record.event == "start":
            starts.setdefault(record.request_id, []).append(record.at)
    return [
        later[0] - kill.at
        for kill in kills
        for request_id in kill.running
        if (later := [at for at in starts[request_id] if at > kill.at])
    ]
