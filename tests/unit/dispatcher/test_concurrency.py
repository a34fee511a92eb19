import asyncio
from collections.abc import Sequence
from threading import Event

import pytest

from runtime_image.dispatcher.concurrency import Batcher, Threads


async def test_an_item_that_comes_as_the_last_batch_lands_is_sent_too() -> None:
    sent: list[int] = []

    async def send(items: Sequence[int]) -> None:
        sent.extend(items)

    batcher = Batcher(send, flights=1)
    async with asyncio.timeout(5):
        await batcher(1)
        await batcher(2)
    assert sent == [1, 2]


async def test_what_comes_while_a_batch_is_on_its_way_goes_together() -> None:
    sent: list[list[int]] = []
    release = asyncio.Event()

    async def send(items: Sequence[int]) -> None:
        sent.append(list(items))
        await release.wait()

    batcher = Batcher(send, limit=3, flights=1)
    async with asyncio.timeout(5), asyncio.TaskGroup() as callers:
        for item in range(6):
            callers.create_task(batcher(item))
            await asyncio.sleep(0)
        release.set()
    assert sent == [[0], [1, 2, 3], [4, 5]]


async def test_what_sending_raises_reaches_every_caller_and_the_next_batch_flies() -> None:
    async def send(items: Sequence[int]) -> None:
        if 0 in items:
            raise ValueError("refused")

    batcher = Batcher(send, flights=1)
    async with asyncio.timeout(5):
        for item in (0, 0):
            with pytest.raises(ValueError, match="refused"):
                await batcher(item)
        await batcher(1)


class Sent:
    """A sender that keeps the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    async def __call__(self, items: Sequence[int]) -> None:
        self.batches.append(list(items))


async def test_an_item_waits_for_those_that_are_still_in_hand() -> None:
    send = Sent()
    batcher = Batcher(send, in_hand=lambda: 3, linger_seconds=60)
    async with asyncio.timeout(5), asyncio.TaskGroup() as callers:
        for item in range(3):
            assert send.batches == []
            callers.create_task(batcher(item))
            await asyncio.sleep(0)
    assert send.batches == [[0, 1, 2]]


async def test_a_full_batch_waits_for_nothing() -> None:
    send = Sent()
    batcher = Batcher(send, in_hand=lambda: 99, linger_seconds=60, limit=2)
    async with asyncio.timeout(5):
        await asyncio.gather(batcher(0), batcher(1))
    assert send.batches == [[0, 1]]


async def test_what_does_not_come_is_not_waited_for_longer_than_a_moment() -> None:
    send = Sent()
    async with asyncio.timeout(5):
        await Batcher(send, in_hand=lambda: 2, linger_seconds=0.001)(0)
    assert send.batches == [[0]]


async def test_what_is_on_its_way_is_not_waited_for() -> None:
    sent: list[list[int]] = []
    release = asyncio.Event()

    async def send(items: Sequence[int]) -> None:
        sent.append(list(items))
        if items == [0]:
            await release.wait()

    in_hand = 1
    batcher = Batcher(send, in_hand=lambda: in_hand, linger_seconds=60)
    async with asyncio.timeout(5), asyncio.TaskGroup() as callers:
        callers.create_task(batcher(0))
        await asyncio.sleep(0)
        in_hand = 2
        await batcher(1)
        assert sent == [[0], [1]]
        release.set()


async def test_short_calls_take_turns_and_one_that_lasts_leaves_its_turn() -> None:
    threads = Threads("test", 3, short=1)
    started, go_on = [Event(), Event()], Event()

    def call(number: int) -> int:
        started[number].set()
        assert go_on.wait(5)
        return number

    first, second = (asyncio.ensure_future(threads(call, number)) for number in range(2))
    async with asyncio.timeout(5):
        while not started[0].is_set():
            await asyncio.sleep(0)
        assert not started[1].is_set()
        while not started[1].is_set():
            await asyncio.sleep(0.001)
    go_on.set()
    assert [await first, await second] == [0, 1]
    threads.close()


async def test_every_call_has_its_turn_whatever_became_of_those_before() -> None:
    threads = Threads("test", 2, short=2)

    def fail() -> None:
        raise ValueError

    failed = await asyncio.gather(*(threads(fail) for _ in range(20)), return_exceptions=True)
    cancelled = [asyncio.ensure_future(threads(Event().is_set)) for _ in range(20)]
    for one in cancelled:
        one.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(threads(len, "abc") for _ in range(20))) == [3] * 20
    assert all(isinstance(one, ValueError) for one in failed)
    threads.close()
