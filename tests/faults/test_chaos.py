"""Dispatchers die at random under a model that fails at random; every request ends once."""

import asyncio
import random
import time
from collections import defaultdict

import pytest

from functions.intake.service import IntakeService
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest, RequestState, RetryPolicy
from penstock.contracts.submission import Submission
from tests.faults.chaos import World, watch_tasks
from tests.faults.profile import PROFILE
from tests.faults.tally import Tally
from tests.faults.world import ACME, OCR, catalog

_DISPATCHERS = 3
_RECOVERY_SECONDS = 30


@pytest.fixture
def world() -> World:
    random.seed(20_300_101)
    return World()


def _submit(world: World, number: int) -> AsyncRequest:
    intake = IntakeService(
        catalog=catalog(),
        requests=world.requests,
        payloads=world.payloads,
        queue_of=lambda _: world.queue,
        clock=utc_now,
    )
    retry = RetryPolicy(max_attempts=10, initial_delay_ms=10)
    return intake.accept(
        Submission(tenant=ACME, payload=f"{number}".encode(), retry=retry, priority=number % 3), OCR
    )


async def _kill_at_random(world: World, seconds: float) -> int:
    """Return how many dispatchers died; three live at the end."""
    victims = [world.start() for _ in range(_DISPATCHERS)]
    ends_at = time.monotonic() + seconds
    kills = 0
    while time.monotonic() < ends_at:
        await asyncio.sleep(random.uniform(0.1, 0.2))  # noqa: S311 - no secret
        victims.pop(random.randrange(_DISPATCHERS)).kill()  # noqa: S311 - no secret
        victims.append(world.start())
        kills += 1
    return kills


async def _until_all_ended(world: World, accepted: list[AsyncRequest]) -> None:
    async with asyncio.timeout(_RECOVERY_SECONDS):
        while not all(_is_over(world, request) for request in accepted):
            await asyncio.sleep(0.05)
        while world.queue.depth().queued + world.queue.depth().in_progress:
            await asyncio.sleep(0.05)


def _is_over(world: World, request: AsyncRequest) -> bool:
    row = world.requests.find(request.request_id)
    return row is not None and row.state.is_terminal and row.notified_at is not None


async def test_nothing_is_lost_while_dispatchers_are_killed(world: World, tally: Tally) -> None:
    watch_tasks()
    accepted: list[AsyncRequest] = []

    async def submit_all() -> None:
        for number in range(PROFILE.chaos_requests):
            accepted.append(_submit(world, number))
            await asyncio.sleep(PROFILE.chaos_seconds / PROFILE.chaos_requests)

    kills, _ = await asyncio.gather(_kill_at_random(world, PROFILE.chaos_seconds), submit_all())
    await _until_all_ended(world, accepted)

    event_ids = defaultdict(set)
    for notification in world.notifier.published:
        event_ids[notification.request_id].add(notification.event_id)
    results = {request.request_id: _result(world, request) for request in accepted}
    tally.requests += len(accepted)
    tally.kills += kills
    tally.lost += sum(result is None for result in results.values())
    tally.duplicated += sum(len(ids) > 1 for ids in event_ids.values())
    tally.undelivered += sum(request_id not in event_ids for request_id in results)

    assert list(results.values()) == [f"{number}".encode() for number in range(len(accepted))]
    assert {request_id: len(ids) for request_id, ids in event_ids.items()} == dict.fromkeys(
        results, 1
    )


def _result(world: World, request: AsyncRequest) -> bytes | None:
    row = world.requests.find(request.request_id)
    if row is None or row.state is not RequestState.SUCCEEDED or row.result is None:
        return None
    return world.results.read(row.result)
