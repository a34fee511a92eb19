import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import psutil
import pytest

from penstock.contracts.request import RequestState
from tests.e2e.stack import wait_until
from tests.faults.processes.faulty_stack import FaultyStack
from tests.faults.profile import PROFILE

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

CANCELED = 1_000 if PROFILE.name == "long" else 200
CALLERS = 4
SINGLE, STUBBORN = "single", "stubborn"

logger = logging.getLogger(__name__)  # figures, with `-rP -o log_level=INFO`


@contextmanager
def busy_worker(faulty: FaultyStack) -> Iterator[None]:
    """Keep the only slot taken during the block."""
    go = faulty.folder / "go-queued"
    faulty.wait_for_start(faulty.stack.submit(SINGLE, {"until": str(go)}))
    yield
    go.touch()


def test_no_request_that_was_cancelled_while_it_was_queued_ever_runs(faulty: FaultyStack) -> None:
    with ThreadPoolExecutor(CALLERS) as callers:
        cancel = partial(faulty.cancel, SINGLE)
        with busy_worker(faulty):
            waiting = list(callers.map(lambda n: faulty.stack.submit(SINGLE, n), range(CANCELED)))
            early, late = waiting[::2], waiting[1::2]
            assert all(callers.map(cancel, early))
        # From here on against the worker, who begins at the other end.
        late.reverse()
        in_time = {each for each, done in zip(late, callers.map(cancel, late), strict=True) if done}
    wait_until(lambda: not faulty.messages(SINGLE), 120, "the lanes to be empty")

    canceled = {*early, *in_time}
    logger.info("%d of %d were cancelled in time", len(canceled), CANCELED)
    assert not canceled & {record.request_id for record in faulty.records.all()}
    states = {each: faulty.row(each).state for each in waiting}
    assert {states[each] for each in canceled} == {RequestState.CANCELED}
    assert {states[each] for each in waiting if each not in canceled} <= {RequestState.SUCCEEDED}


def test_a_running_request_stops_when_its_caller_insists(faulty: FaultyStack) -> None:
    request_id = faulty.stack.submit(SINGLE, {"until": str(faulty.folder / "never")})
    faulty.wait_for_start(request_id)
    faulty.stack.status(SINGLE, request_id)  # the function's first start takes a second
    asked_at = time.time()
    faulty.cancel(SINGLE, request_id, force=True)
    [closed] = wait_until(lambda: faulty.records.of(request_id, "closed"), 30, "its call to close")

    logger.info("its call was closed after %.2f s", closed.at - asked_at)
    # Within a second (docs/reliability.md); the rest is for slow machines.
    assert closed.at - asked_at < 5
    faulty.stack.wait_for(SINGLE, request_id, "CANCELED")
    assert faulty.row(request_id).result is None
    faulty.stack.wait_for(SINGLE, faulty.stack.submit(SINGLE, "next"), "SUCCEEDED")


@pytest.mark.parametrize("works_on_by", ["sleep_seconds", "block_seconds"])
def test_a_model_server_that_works_on_is_restarted_and_its_slot_works_again(
    faulty: FaultyStack, works_on_by: str
) -> None:
    works_on_seconds = 120
    request_id = faulty.stack.submit(STUBBORN, {works_on_by: works_on_seconds})
    stuck = faulty.wait_for_start(request_id)
    # The local kubelet counts failed probes once one has passed, 5 s after the start.
    started_at = psutil.Process(stuck.pid).create_time()
    wait_until(lambda: time.time() > started_at + 7, 10, "the liveness probe to pass")
    asked_at = time.time()
    faulty.cancel(STUBBORN, request_id, force=True)
    following = faulty.wait_for_start(faulty.stack.submit(STUBBORN, "next"))

    logger.info("the slot worked again after %.2f s", following.at - asked_at)
    assert following.pid != stuck.pid
    # Within five seconds (docs/reliability.md); the rest is for slow machines.
    assert following.at - asked_at < works_on_seconds / 4
    assert faulty.row(request_id).state is RequestState.CANCELED
    assert not faulty.records.of(request_id, "end")
