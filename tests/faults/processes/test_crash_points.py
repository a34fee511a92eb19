import json
import logging
import signal
from collections.abc import Mapping
from datetime import datetime

import pytest

from penstock.contracts.request import RequestState
from tests.faults.processes.crash_points import (
    AT_THE_MODEL,
    BLOWS,
    MODEL,
    ONCE_THE_RESULT_IS_STORED,
    POINTS,
    Blow,
    Episode,
    Point,
    strike,
)
from tests.faults.processes.faulty_stack import DISPATCHER, MODEL_SERVER, FaultyStack
from tests.faults.processes.proxy.aws_calls import Step

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

logger = logging.getLogger(__name__)  # figures, with `-rP -o log_level=INFO`
WRITTEN_ONCE = (Step.STORE, Step.FINISH, Step.MARK)
every_blow = pytest.mark.parametrize("blow", BLOWS, ids=str)
every_point = pytest.mark.parametrize("point", POINTS, ids=str)

Episodes = Mapping[Blow, Episode]


@pytest.fixture(scope="module")
def episodes(faulty: FaultyStack) -> Episodes:
    return {blow: strike(faulty, blow) for blow in BLOWS}


@every_blow
@every_point
def test_a_request_succeeds(
    faulty: FaultyStack, episodes: Episodes, blow: Blow, point: Point
) -> None:
    row = faulty.row(episodes[blow].requests[point])
    assert row.state is RequestState.SUCCEEDED
    assert row.result is not None
    stored = faulty.stack.aws.s3.get_object(Bucket=row.result.bucket, Key=row.result.key)
    assert json.loads(stored["Body"].read()) == {"label": str(point)}


@every_blow
@every_point
def test_nothing_is_written_twice(
    faulty: FaultyStack, episodes: Episodes, blow: Blow, point: Point
) -> None:
    request_id = episodes[blow].requests[point]

    written = {step: faulty.proxy.effects[step, request_id] for step in WRITTEN_ONCE}
    assert written == dict.fromkeys(WRITTEN_ONCE, 1)


@every_blow
@every_point
def test_the_world_is_told_under_one_event_id(
    faulty: FaultyStack, episodes: Episodes, blow: Blow, point: Point
) -> None:
    heard = faulty.subscriber.event_ids(episodes[blow].requests[point])

    assert len(set(heard)) == 1


@every_blow
@pytest.mark.parametrize("point", ONCE_THE_RESULT_IS_STORED, ids=str)
def test_a_stored_result_is_not_computed_again(
    faulty: FaultyStack, episodes: Episodes, blow: Blow, point: Point
) -> None:
    assert len(faulty.records.of(episodes[blow].requests[point], "start")) == 1


@every_point
@pytest.mark.parametrize(
    "blow",
    [Blow(DISPATCHER, signal.SIGTERM), Blow(MODEL_SERVER, signal.SIGSTOP)],
    ids=str,
)
def test_what_is_given_back_or_only_delayed_costs_no_attempt(
    faulty: FaultyStack, episodes: Episodes, blow: Blow, point: Point
) -> None:
    assert faulty.row(episodes[blow].requests[point]).failed_attempts == 1


def test_a_killed_dispatchers_request_runs_again_after_one_lease(
    faulty: FaultyStack, episodes: Episodes
) -> None:
    killed = episodes[Blow(DISPATCHER, signal.SIGKILL)]

    first, second = faulty.records.of(killed.requests[AT_THE_MODEL], "start")
    assert first.at < killed.struck_at < second.at
    logger.info("it started again after %.2f s", second.at - killed.struck_at)
    # 2 to 4 s with a lease of 3 s (docs/reliability.md); the rest is for slow machines.
    assert second.at - killed.struck_at < 15


def test_a_drained_dispatcher_exits_with_0(faulty: FaultyStack, episodes: Episodes) -> None:
    drained_at = episodes[Blow(DISPATCHER, signal.SIGTERM)].struck_at

    restarts = [
        event["exit_status"]
        for event in faulty.stack.events("restarted")
        if event["process"].endswith(f"/{DISPATCHER}")
        and datetime.fromisoformat(event["at"]).timestamp() > drained_at
    ]
    assert restarts[0] == 0


def test_no_message_is_left(faulty: FaultyStack, episodes: Episodes) -> None:
    assert faulty.messages(MODEL) == 0
