"""Every line that is logged about a request says which."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from io import StringIO

import pytest

from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import RequestId, RequestState
from runtime_image.dispatcher.concurrency import Batcher, Threads
from runtime_image.dispatcher.observability.correlation import correlate
from runtime_image.dispatcher.observability.logs import log_as_json
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until

TRACEPARENT = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
MESSAGE = QueueMessage(request_id=RequestId("r1"), text="1", traceparent=TRACEPARENT)
KEYS = {"request_id": "r1", "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793"}

logger = logging.getLogger("test")


Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Return what was logged until now."""
    written = StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    log_as_json()
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)


async def test_a_line_says_which_request_it_concerns_also_from_a_thread(lines: Lines) -> None:
    async def work() -> None:
        correlate(MESSAGE)
        logger.warning("here")
        await Threads("test", 1)(logger.warning, "there")

    await asyncio.create_task(work())
    logger.warning("outside")

    here, there, outside = lines()
    assert here.items() >= KEYS.items()
    assert there.items() >= KEYS.items()
    assert "request_id" not in outside


async def test_what_a_line_says_itself_is_kept(lines: Lines) -> None:
    async def work() -> None:
        correlate(MESSAGE)
        logger.warning("other", extra={"request_id": "r2"})

    await asyncio.create_task(work())

    (line,) = lines()
    assert line["request_id"] == "r2"


async def test_a_batch_is_not_logged_as_the_first_requests_own(lines: Lines) -> None:
    async def send(_: Sequence[int]) -> None:
        logger.warning("batch sent")

    async def work() -> None:
        correlate(MESSAGE)
        await Batcher(send)(1)

    await asyncio.create_task(work())

    (line,) = lines()
    assert "request_id" not in line


async def test_every_line_about_a_request_carries_its_id_and_trace(lines: Lines) -> None:
    world = World(utc_now)
    ids = [world.submit(traceparent=TRACEPARENT) for _ in range(4)]
    async with dispatching(world, HeldModel(), concurrency_target=2):
        await until(all_in(world, ids, RequestState.SUCCEEDED))

    about_requests = [line for line in lines() if str(line["event"]).startswith("request")]
    assert {line["request_id"] for line in about_requests} == set(ids)
    assert {line["xray_trace_id"] for line in about_requests} == {KEYS["xray_trace_id"]}
