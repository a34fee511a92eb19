import asyncio
from collections.abc import Sequence

import pytest

from runtime_image.dispatcher.concurrency import Batcher


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
