import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from penstock.local.pods.liveness import LivenessWatch
from penstock.local.pods.workload import Probe

STARTUP = Probe(path="/loaded", port=8080, period_seconds=0, failure_threshold=100)
LIVENESS = Probe(path="/", port=8080, period_seconds=0, failure_threshold=2)
POD_GRACE_SECONDS = 40.0


@dataclass
class Process:
    """A container's process that is started again as soon as it was ended."""

    pid: int | None = 1
    restarts: int = 0
    graces: list[float] = field(default_factory=list)

    async def end(self, grace_seconds: float) -> None:
        self.graces.append(grace_seconds)
        self.restarts += 1


@dataclass
class Answers:
    """What each probe is answered, one after the other; the last for ever."""

    by_path: dict[str | None, list[bool]]
    calls: list[str | None] = field(default_factory=list)

    async def passes(self, probe: Probe) -> bool:
        self.calls.append(probe.path)
        left = self.by_path[probe.path]
        return left.pop(0) if len(left) > 1 else left[0]


async def watched(
    process: Process,
    answers: Answers,
    until: Callable[[], bool],
    *,
    startup: Probe | None = None,
    liveness: Probe = LIVENESS,
) -> list[str | None]:
    """Watch until `until` holds; return the probes that were failed."""
    failed: list[str | None] = []
    watch = LivenessWatch(
        process=process,
        startup=startup,
        liveness=liveness,
        passes=answers.passes,
        grace_seconds=POD_GRACE_SECONDS,
        on_failure=lambda probe: failed.append(probe.path),
    )
    watching = asyncio.create_task(watch.run())
    async with asyncio.timeout(10):
        while not until():
            await asyncio.sleep(0)
    watching.cancel()
    return failed


async def test_a_container_is_ended_after_as_many_failures_in_a_row_as_are_declared() -> None:
    process, answers = Process(), Answers({"/": [True, False, True, False, False, True]})

    failed = await watched(process, answers, lambda: len(answers.calls) >= 10)

    assert failed == ["/"]
    assert process.restarts == 1


@pytest.mark.parametrize(("own", "grace"), [(1.0, 1.0), (None, POD_GRACE_SECONDS)])
async def test_a_container_gets_the_grace_of_its_probe_or_else_of_its_pod(
    own: float | None, grace: float
) -> None:
    process, answers = Process(), Answers({"/": [True, False]})
    liveness = replace(LIVENESS, grace_seconds=own)

    await watched(process, answers, lambda: process.restarts == 1, liveness=liveness)

    assert process.graces == [grace]


async def test_liveness_is_not_asked_before_the_container_is_up() -> None:
    process, answers = Process(), Answers({"/loaded": [False, False, True], "/": [True]})

    await watched(process, answers, lambda: "/" in answers.calls, startup=STARTUP)

    assert answers.calls[:4] == ["/loaded", "/loaded", "/loaded", "/"]


async def test_a_container_that_never_comes_up_is_ended_when_its_startup_probe_gives_up() -> None:
    process, answers = Process(), Answers({"/loaded": [False]})

    failed = await watched(process, answers, lambda: process.restarts == 1, startup=STARTUP)

    assert failed == ["/loaded"]
    assert len(answers.calls) == STARTUP.failure_threshold


async def test_without_a_startup_probe_failures_count_at_once() -> None:
    process, answers = Process(), Answers({"/": [False]})

    await watched(process, answers, lambda: process.restarts == 1)

    assert len(answers.calls) == LIVENESS.failure_threshold


async def test_a_container_that_was_started_again_has_to_come_up_again() -> None:
    process = Process()
    answers = Answers({"/loaded": [True, False, True], "/": [False, False, True]})

    await watched(process, answers, lambda: len(answers.calls) >= 6, startup=STARTUP)

    assert answers.calls[:6] == ["/loaded", "/", "/", "/loaded", "/loaded", "/"]


async def test_a_process_that_is_gone_is_not_ended_once_more() -> None:
    process, answers = Process(pid=None), Answers({"/": [True, False]})

    assert await watched(process, answers, lambda: len(answers.calls) == 20) == []


async def test_what_was_asked_of_one_process_is_not_held_against_the_next() -> None:
    process, answers = Process(), Answers({"/": [False, False, True]})
    asked = answers.passes

    async def passes(probe: Probe) -> bool:
        if len(answers.calls) == 1:
            process.restarts += 1  # it crashes while the second probe waits for its answer
        return await asked(probe)

    answers.passes = passes  # type: ignore[method-assign]  # a crash in the middle of a call

    assert await watched(process, answers, lambda: len(answers.calls) == 10) == []


async def test_a_probe_waits_for_its_initial_delay() -> None:
    process, answers = Process(), Answers({"/": [True]})
    liveness = replace(LIVENESS, initial_delay_seconds=0.05)
    began = time.monotonic()

    await watched(process, answers, lambda: bool(answers.calls), liveness=liveness)

    assert time.monotonic() - began >= 0.05
