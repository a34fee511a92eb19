"""What heartbeats renew and read, and what they leave alone."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event

import pytest

from penstock.adapters.in_memory import FakeClock, InMemoryRequestQueue, InMemoryRequestStore
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import AsyncRequest, RequestId
from penstock.protocol.request_protocol import RequestProtocol
from penstock.protocol.steps import Run
from runtime_image.dispatcher.scheduling import holding
from runtime_image.dispatcher.scheduling.holding import Heartbeats, Held, Interruption
from tests.unit.dispatcher.conftest import LEASE_SECONDS, World
from tests.unit.dispatcher.dispatching import until

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


class HangingStore(InMemoryRequestStore):
    """Renewals of some requests never return, and what is said of their wishes neither."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.hanging: set[RequestId] = set()
        self.errors: dict[RequestId, Exception] = {}
        self.hangs = 0
        self.ended = Event()

    def renew(self, claimed: AsyncRequest, lease_seconds: float) -> AsyncRequest:
        if error := self.errors.pop(claimed.request_id, None):
            raise error
        if claimed.request_id in self.hanging:
            self.hangs += 1
            assert self.ended.wait(60)
        return super().renew(claimed, lease_seconds)

    def wanted_to_stop(self, request_ids: Collection[RequestId]) -> Collection[RequestId]:
        if self.hanging.intersection(request_ids):
            self.hangs += 1
            assert self.ended.wait(60)
        return super().wanted_to_stop(request_ids)


class HangingQueue(InMemoryRequestQueue):
    """Hiding messages of the highest priority never returns."""

    def __init__(self, clock: FakeClock, ended: Event) -> None:
        super().__init__(clock)
        self.hangs = 0
        self._ended = ended

    def hide(self, deliveries: Sequence[Delivery], seconds: float) -> Sequence[Delivery]:
        if any(delivery.priority == 0 for delivery in deliveries):
            self.hangs += 1
            assert self._ended.wait(60)
        return super().hide(deliveries, seconds)


@pytest.fixture
def store(world: World, clock: FakeClock) -> Iterator[HangingStore]:
    store = HangingStore(clock)
    world.requests = store
    world.queue = HangingQueue(clock, store.ended)
    yield store
    store.ended.set()


def many_held(world: World, count: int, priority: int = 1) -> list[Held]:
    protocol, held = world.protocol(), []
    for _ in range(count):
        world.submit(priority=priority)
        one = Held(world.receive(priority))
        step = protocol.claim(one.delivery)
        assert isinstance(step, Run)
        one.request = step.request
        held.append(one)
    return held


async def test_with_calls_that_hang_every_other_lease_is_renewed_beat_after_beat(
    world: World, clock: FakeClock, store: HangingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "_CANCEL_WATCH_SECONDS", 0.001)
    heartbeats = Heartbeats(world.protocol(), world.queue, lease_seconds=0.03)
    hung, others = [*many_held(world, 8), *many_held(world, 1, priority=0)], many_held(world, 20)
    store.hanging = {one.claimed.request_id for one in hung}
    heartbeats.held |= {*hung, *others}
    running = [
        asyncio.create_task(heartbeats.run()),
        asyncio.create_task(heartbeats.watch_cancellations()),
    ]

    await until(lambda: store.hangs > 8)  # as many calls as once had threads, and more
    for _ in range(3):
        clock.advance(AWAY)
        now = clock()
        await until(
            lambda now=now: all((one.claimed.lease_until or now) > now for one in others)  # type: ignore[misc]  # mypy takes the default for an argument
        )
    assert {one.interruption for one in others} == {None}

    store.ended.set()
    for task in running:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    heartbeats.close()


async def test_a_request_whose_renewal_hangs_is_let_go_when_its_lease_has_lapsed(
    world: World, clock: FakeClock, store: HangingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "_QUICK_SECONDS", 0.001)
    heartbeats = Heartbeats(world.protocol(), world.queue, lease_seconds=0.003)
    (held,) = many_held(world, 1)
    store.hanging = {held.claimed.request_id}
    heartbeats.held.add(held)
    beat = asyncio.create_task(heartbeats.beat())

    await until(lambda: store.hangs > 1)  # it is tried again while the lease lasts
    assert held.interruption is None
    clock.advance(LEASE_SECONDS)
    await until(lambda: held.interruption is Interruption.LEASE_LOST)

    store.ended.set()
    await beat
    heartbeats.close()


async def test_an_unexpected_error_in_one_heartbeat_costs_no_lease(
    world: World, clock: FakeClock, store: HangingStore, caplog: pytest.LogCaptureFixture
) -> None:
    heartbeats = Heartbeats(world.protocol(), world.queue, lease_seconds=0.03)
    held = many_held(world, 2)
    store.errors[held[0].claimed.request_id] = RuntimeError("nobody foresaw this")
    heartbeats.held |= set(held)
    clock.advance(AWAY)
    await heartbeats.beat()
    heartbeats.close()

    assert {one.interruption for one in held} == {None}
    assert all((one.claimed.lease_until or clock()) > clock() for one in held)
    assert "nobody foresaw this" in caplog.text
