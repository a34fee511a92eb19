"""What a worker fetches, claims and starts, and in which order."""

import asyncio

import pytest

from runtime_image.dispatcher.scheduling.gate import Gate, GateClosedError
from runtime_image.dispatcher.scheduling.tickets import Ticket


async def _settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def _running(gate: Gate, priority: int) -> Ticket:
    ticket = gate.admit(priority)
    await gate.to_deck(ticket)
    await gate.to_slot(ticket)
    return ticket


def _teach(gate: Gate, seconds: float) -> None:
    gate.end(gate.admit(0), seconds)


@pytest.mark.spec("baseten", 18)
async def test_as_many_calls_run_as_there_are_slots() -> None:
    gate = Gate(2, 2)
    first, _ = await _running(gate, 0), await _running(gate, 0)
    third = asyncio.ensure_future(_running(gate, 0))
    await _settle()
    assert gate.running == 2
    assert not third.done()

    gate.leave(first)
    await third
    assert gate.running == 2


@pytest.mark.spec("baseten", 17)
async def test_higher_priority_overtakes_what_has_not_started() -> None:
    gate = Gate(1, 2)
    _teach(gate, 0.01)
    busy = await _running(gate, 2)
    started: list[int] = []

    async def start(priority: int) -> None:
        ticket = await _running(gate, priority)
        started.append(priority)
        gate.leave(ticket)

    waiting = []
    for priority in (2, 2, 1, 0):
        waiting.append(asyncio.create_task(start(priority)))
        await _settle()
    gate.leave(busy)
    await asyncio.gather(*waiting)

    assert started == [0, 1, 2, 2]


async def test_a_slow_model_gets_one_request_per_free_slot_and_none_ahead() -> None:
    gate = Gate(2, 2)
    _teach(gate, 600)
    assert gate.room(0) == 2
    await _running(gate, 0)
    await _running(gate, 0)
    assert gate.room(0) == 0
    assert gate.overflows(0)


async def test_a_fast_model_gets_as_much_ahead_as_starts_within_the_budget() -> None:
    gate = Gate(1, 2)
    _teach(gate, 0.1)
    await _running(gate, 0)
    assert gate.room(0) == 20
    gate.admit(0)
    assert gate.room(0) == 19


async def test_fetching_ahead_has_a_ceiling() -> None:
    gate = Gate(8, 2)
    _teach(gate, 0.001)
    assert gate.room(0) == 50


async def test_with_plenty_at_hand_a_receive_waits_until_it_brings_its_full_number() -> None:
    gate = Gate(1, 2)
    _teach(gate, 0.01)
    tickets = [gate.admit(0) for _ in range(41)]
    assert gate.room(0) == 9
    assert not gate.is_worth_a_receive(0)
    gate.leave(tickets.pop())
    assert gate.is_worth_a_receive(0)


async def test_with_little_at_hand_every_free_place_is_worth_a_receive() -> None:
    gate = Gate(1, 2)
    _teach(gate, 0.2)
    for _ in range(10):
        gate.admit(0)
    assert gate.room(0) == 1
    assert gate.is_worth_a_receive(0)


async def test_plenty_of_lower_priority_keeps_no_receive_from_a_higher_one() -> None:
    gate = Gate(1, 2)
    _teach(gate, 0.01)
    for _ in range(45):
        gate.admit(2)
    assert not gate.is_worth_a_receive(2)
    assert gate.is_worth_a_receive(0)


async def test_the_guaranteed_start_of_a_low_priority_is_always_worth_a_receive() -> None:
    gate = Gate(1, 2, low_priority_share=0.1)
    _teach(gate, 0.01)
    for _ in range(50):
        gate.admit(0)
    assert gate.room(2) == 1
    assert gate.is_worth_a_receive(2)


async def test_nothing_is_fetched_ahead_before_a_service_time_is_known() -> None:
    gate = Gate(3, 2)
    assert gate.room(2) == 3
    gate.admit(2)
    assert gate.room(2) == 2
    assert gate.room(0) == 3


async def test_what_is_fetched_in_a_lower_lane_takes_no_room_from_a_higher_one() -> None:
    gate = Gate(1, 2)
    gate.admit(2)
    assert gate.room(2) == 0
    assert gate.room(0) == 1


async def test_a_slow_model_claims_only_what_starts_at_once() -> None:
    gate = Gate(1, 2)
    _teach(gate, 600)
    await _running(gate, 0)
    claim = asyncio.ensure_future(gate.to_deck(gate.admit(0)))
    await _settle()
    assert not claim.done()
    claim.cancel()


async def test_a_strict_gate_starves_low_priority_and_a_share_does_not() -> None:
    async def order(share: float) -> list[int]:
        gate = Gate(1, 2, low_priority_share=share)
        _teach(gate, 0.01)
        busy = await _running(gate, 0)
        started: list[int] = []

        async def start(priority: int) -> None:
            ticket = await _running(gate, priority)
            started.append(priority)
            gate.leave(ticket)

        tasks = [asyncio.create_task(start(priority)) for priority in (2, 0, 0, 0, 0)]
        await _settle()
        gate.leave(busy)
        await asyncio.gather(*tasks)
        return started

    assert (await order(0)).index(2) == 4
    assert (await order(0.5)).index(2) < 4


async def test_a_cancelled_wait_does_not_hold_a_turn() -> None:
    gate = Gate(1, 2)
    _teach(gate, 0.01)
    busy = await _running(gate, 0)
    given_up = asyncio.ensure_future(_running(gate, 0))
    await _settle()
    given_up.cancel()
    await _settle()
    gate.leave(busy)
    await _running(gate, 1)
    assert gate.running == 1


@pytest.mark.parametrize("wait", ["to_deck", "to_slot"])
async def test_a_closed_gate_turns_everybody_away(wait: str) -> None:
    gate = Gate(1, 2)
    _teach(gate, 600)
    await _running(gate, 0)
    waiting = asyncio.ensure_future(getattr(gate, wait)(gate.admit(0)))
    await _settle()
    gate.close()
    with pytest.raises(GateClosedError):
        await waiting
    with pytest.raises(GateClosedError):
        await gate.to_deck(gate.admit(0))
    assert gate.room(0) == 0


async def test_what_only_waits_for_its_batch_is_overtaken_by_higher_priorities() -> None:
    gate = Gate(4, 2, under_way_below=lambda priority: 2 if priority < 2 else 0)
    for _ in range(4):
        await _running(gate, 2)
    assert (gate.room(2), gate.room(0)) == (0, 2)

    for _ in range(2):
        await _running(gate, 0)
    assert gate.running == 6
    assert gate.room(0) == 0
    third = asyncio.ensure_future(_running(gate, 0))
    await _settle()
    assert not third.done()

    gate.close()
    with pytest.raises(GateClosedError):
        await third


async def test_whoever_overtakes_makes_no_room_for_its_own_priority() -> None:
    gate = Gate(2, 2, under_way_below=lambda _: 0)
    for _ in range(2):
        await _running(gate, 1)

    assert (gate.room(0), gate.room(1), gate.room(2)) == (2, 0, 0)


async def test_no_more_than_twice_as_many_as_there_are_slots_are_ever_held() -> None:
    gate = Gate(2, 2, under_way_below=lambda _: 0)
    low, *_ = [await _running(gate, priority) for priority in (2, 2, 1, 1)]
    assert gate.room(0) == 0
    high = asyncio.ensure_future(_running(gate, 0))
    await _settle()
    assert not high.done()

    gate.leave(low)
    await high
    assert gate.running == 4


async def test_who_waits_overtakes_as_soon_as_those_under_way_wait_again() -> None:
    under_way = 2
    gate = Gate(2, 2, under_way_below=lambda priority: under_way if priority < 2 else 0)
    for _ in range(2):
        await _running(gate, 2)
    high = asyncio.ensure_future(_running(gate, 0))
    await _settle()
    assert not high.done()

    under_way = 1
    gate.look_again()
    async with asyncio.timeout(5):
        await high


async def test_who_fetches_hears_that_fewer_are_under_way() -> None:
    gate = Gate(2, 2, under_way_below=lambda _: 0)
    change = asyncio.ensure_future(gate.change())
    await _settle()
    assert not change.done()

    gate.look_again()
    async with asyncio.timeout(5):
        await change


async def test_nothing_more_is_fetched_or_claimed_while_too_many_ends_are_still_to_be_told() -> (
    None
):
    gate = Gate(1, 2)
    _teach(gate, 0.001)
    ending = [gate.admit(0) for _ in range(200)]
    for ticket in ending:
        gate.end(ticket)
    claim = asyncio.ensure_future(gate.to_deck(gate.admit(0)))
    await _settle()
    assert not claim.done()
    assert gate.room(0) == 0

    for ticket in ending:
        gate.leave(ticket)
    await claim
