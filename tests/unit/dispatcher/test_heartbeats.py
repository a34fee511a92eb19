"""What heartbeats renew and read, and what they leave alone."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from penstock.adapters.in_memory import FakeClock
from penstock.contracts.request import RequestId
from penstock.protocol.request_protocol import RequestProtocol
from penstock.protocol.steps import Run
from runtime_image.dispatcher.scheduling import holding
from runtime_image.dispatcher.scheduling.holding import Heartbeats, Held
from tests.unit.dispatcher.conftest import LEASE_SECONDS, World

AWAY = LEASE_SECONDS - 1


def held_by(protocol: RequestProtocol, world: World) -> Held:
    world.submit()
    held = Held(world.receive())
    step = protocol.claim(held.delivery)
    assert isinstance(step, Run)
    held.request = step.request
    return held


async def test_a_request_that_ended_keeps_its_message_hidden_and_has_no_lease(
    world: World, clock: FakeClock
) -> None:
    protocol = world.protocol()
    held = held_by(protocol, world)
    protocol.succeed(held.claimed, b"42", "text/plain")
    held.is_decided = True
    heartbeats = Heartbeats(protocol, world.queue, LEASE_SECONDS)
    heartbeats.held.add(held)

    clock.advance(AWAY)
    await heartbeats.beat()
    heartbeats.close()
    clock.advance(AWAY)

    assert held.interruption is None
    assert not world.queue.receive(
        priority=0, max_messages=1, wait_seconds=0, visible_after_seconds=LEASE_SECONDS
    )


@dataclass(frozen=True, kw_only=True)
class WatchedProtocol(RequestProtocol):
    """Remembers whose wishes were read."""

    read: list[Collection[RequestId]] = field(default_factory=list)

    def wanted_to_stop(self, request_ids: Collection[RequestId]) -> Collection[RequestId]:
        self.read.append(request_ids)
        return super().wanted_to_stop(request_ids)


async def test_only_a_request_that_the_model_has_not_answered_is_watched_for_its_cancellation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "_CANCEL_WATCH_SECONDS", 0.001)
    usual = world.protocol()
    protocol = WatchedProtocol(**vars(usual))
    heartbeats = Heartbeats(protocol, world.queue, LEASE_SECONDS)
    answered, loading = held_by(protocol, world), held_by(protocol, world)
    answered.is_answered = True
    heartbeats.held |= {answered, loading}

    watch = asyncio.create_task(heartbeats.watch_cancellations())
    while not protocol.read:
        await asyncio.sleep(0)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    heartbeats.close()

    assert {tuple(one) for one in protocol.read} == {(loading.claimed.request_id,)}
