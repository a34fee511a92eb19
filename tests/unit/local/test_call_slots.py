"""Calls that wait for a result keep nobody else from being served."""

import asyncio
from contextlib import AsyncExitStack

from penstock.local.front import CallSlots


async def _turns() -> None:
    """Let everything run that is due."""
    for _ in range(20):
        await asyncio.sleep(0)


async def _is_held_up(slots: CallSlots) -> bool:
    """Whether one call more gets no place."""
    call = asyncio.create_task(_call(slots))
    await _turns()
    held_up = not call.done()
    call.cancel()
    return held_up


async def _call(slots: CallSlots) -> None:
    async with slots.take():
        pass


async def test_no_more_than_so_many_calls_are_at_work() -> None:
    slots = CallSlots(at_work=2, waiting=9, patience_seconds=3_600)
    async with AsyncExitStack() as calls:
        await calls.enter_async_context(slots.take())
        assert not await _is_held_up(slots)
        await calls.enter_async_context(slots.take())
        assert await _is_held_up(slots)

    assert not await _is_held_up(slots)


async def test_a_call_that_waits_leaves_its_place_as_long_as_there_is_room() -> None:
    slots = CallSlots(at_work=1, waiting=2, patience_seconds=0)
    async with AsyncExitStack() as calls:
        for _ in range(3):  # each gets the place that the one before has left
            await calls.enter_async_context(slots.take())
            await _turns()

        assert await _is_held_up(slots)

    assert not await _is_held_up(slots)


async def test_a_place_to_wait_is_given_back() -> None:
    slots = CallSlots(at_work=1, waiting=1, patience_seconds=0)
    for _ in range(5):
        async with slots.take():
            await _turns()
            assert not await _is_held_up(slots)
