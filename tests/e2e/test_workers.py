import os
import signal
from datetime import datetime

import psutil
import pytest

from examples.demo.webhook_receiver import WebhookReceiver
from tests.e2e.stack import Stack, wait_until

pytestmark = pytest.mark.e2e


@pytest.mark.spec("baseten", 10)
def test_workers_come_with_the_load_and_go_with_it(stack: Stack) -> None:
    requests = [stack.submit("echo", {"sleep_seconds": 1}) for _ in range(16)]

    wait_until(lambda: stack.deployment("echo-v1").ready_replicas == 2, 60, "two workers")
    for request_id in requests:
        stack.wait_for("echo", request_id, "SUCCEEDED")
    wait_until(lambda: not stack.deployment("echo-v1").pods, 60, "no worker")

    scaled = [e for e in stack.events("scaled") if e["deployment"] == "echo-v1"]
    assert scaled[0]["before"] == 0
    assert scaled[-1]["after"] == 0


def dispatcher_of(stack: Stack, deployment: str) -> int | None:
    pids = [
        process.pid
        for pod in stack.deployment(deployment).pods
        for process in pod.processes
        if pod.phase == "ready" and process.name.endswith("dispatcher")
    ]
    return pids[0] if pids else None


@pytest.mark.spec("baseten", 23)
def test_a_request_survives_its_killed_dispatcher_within_one_lease(stack: Stack) -> None:
    with WebhookReceiver(stack.signing_secrets()) as receiver:
        request_id = stack.submit("echo", {"sleep_seconds": 4}, webhook_endpoint=receiver.url)
        stack.wait_for("echo", request_id, "IN_PROGRESS")
        os.kill(wait_until(lambda: dispatcher_of(stack, "echo-v1"), 10, "its pid"), signal.SIGKILL)
        killed_at = datetime.now().astimezone()

        webhook = receiver.wait_for(request_id, 60)
    assert webhook is not None
    stack.wait_for("echo", request_id, "SUCCEEDED")
    finished_at = datetime.fromisoformat(stack.status("echo", request_id)["status_at"])
    # A lease of 10 s, a receive round of 2 s, the run itself, and a slow machine.
    assert (finished_at - killed_at).total_seconds() < 10 + 2 + 4 + 6
    assert any(e["process"].endswith("dispatcher") for e in stack.events("restarted"))


def test_no_low_priority_starts_while_a_high_one_waits(stack: Stack) -> None:
    seconds = 0.1
    submission = {"sleep_seconds": seconds}
    low = stack.submit_batch("single", [submission] * 100, priority=2)
    wait_until(lambda: stack.deployment("single-v1").ready_replicas == 1, 60, "the worker")
    high = stack.submit_batch("single", [submission] * 10, priority=0)
    visible_at = datetime.now().astimezone()

    def ended_at(request_id: str) -> datetime:
        stack.wait_for("single", request_id, "SUCCEEDED")
        return datetime.fromisoformat(stack.status("single", request_id)["status_at"])

    last_high = max(map(ended_at, high))
    low_ends = [ended_at(request_id) for request_id in low]
    overtaken = [at for at in low_ends if visible_at < at < last_high]
    held = 1 + 0.5 / seconds  # concurrency_target, and what fits into hold_budget_seconds
    assert len(overtaken) <= held
    assert sum(at > last_high for at in low_ends) >= 20  # otherwise nothing was to be overtaken


def test_workers_leave_no_process_behind(stack: Stack) -> None:
    names = ("echo-v1", "single-v1", "together-v1", "told-v1", "renamed-v1")
    wait_until(lambda: not any(stack.deployment(name).pods for name in names), 60, "no worker")

    pids = {pid for event in stack.events("started") for pid in event["pids"]}
    assert not any(psutil.pid_exists(pid) for pid in pids)
