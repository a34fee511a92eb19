"""How a worker's clock comes to agree with AWS's."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from urllib3 import HTTPResponse

from penstock.adapters.aws.aws_clock import AwsClock
from penstock.adapters.aws.clients import client
from penstock.adapters.in_memory import FakeClock, InMemoryRequestStore
from penstock.contracts.errors import ClaimRefusedError
from tests.unit.adapters.test_request_row import A_REQUEST

pytestmark = pytest.mark.usefixtures("aws_variables")

START = datetime(2030, 1, 1, 12, 0, 0, 400_000, tzinfo=UTC)


class Aws:
    """Answers every call after `travel_seconds` there and as many back."""

    def __init__(self, *clocks: FakeClock) -> None:
        self.clock = FakeClock(START)
        self.clocks = (self.clock, *clocks)
        self.travel_seconds = 0.0
        self.status = 200
        self.date: str | None = None

    def pass_time(self, seconds: float) -> None:
        for clock in self.clocks:
            clock.advance(seconds)

    def answer(self, request: Any, **_: object) -> Any:
        self.pass_time(self.travel_seconds)
        headers = HTTPHeaders()
        headers["Date"] = self.date or format_datetime(self.clock(), usegmt=True)
        self.pass_time(self.travel_seconds)
        body = HTTPResponse(BytesIO(b"{}"), preload_content=False)
        return AWSResponse(request.url, self.status, headers, body)


class Machine:
    """One whose clock is `behind` AWS's."""

    def __init__(self, behind_seconds: float) -> None:
        self.own = FakeClock(START - timedelta(seconds=behind_seconds))
        self.aws = Aws(self.own)
        self.clock = AwsClock(self.own)
        dynamodb = client("dynamodb")
        dynamodb.meta.events.register("before-send", self.aws.answer)
        self.clock.listen_to(dynamodb)

    def call(self) -> None:
        client("dynamodb").list_tables()

    @property
    def error_seconds(self) -> float:
        return (self.clock() - self.aws.clock()).total_seconds()


@pytest.mark.parametrize("behind_seconds", [31, -31, 3_600, 1.7])
@pytest.mark.parametrize("travel_seconds", [0, 0.2])
def test_a_wrong_clock_is_right_to_a_second_after_the_first_answer(
    behind_seconds: float, travel_seconds: float
) -> None:
    machine = Machine(behind_seconds)
    machine.aws.travel_seconds = travel_seconds
    machine.call()
    assert abs(machine.error_seconds) <= 1 + 2 * travel_seconds
    assert machine.clock.seconds_behind == pytest.approx(
        behind_seconds + machine.error_seconds, abs=1e-6
    )


@pytest.mark.parametrize("travel_seconds", [0, 2])
def test_a_clock_that_is_right_is_not_touched(travel_seconds: float) -> None:
    machine = Machine(0)
    machine.aws.travel_seconds = travel_seconds
    for _ in range(20):
        machine.call()
        machine.aws.pass_time(1.1)
    assert machine.clock() == machine.own() == machine.aws.clock()


def test_a_clock_that_is_set_right_is_corrected_no_more() -> None:
    machine = Machine(31)
    machine.call()
    machine.own.advance(31)
    machine.call()
    assert abs(machine.error_seconds) <= 1


def test_the_answer_to_a_call_that_failed_is_learned_from_too() -> None:
    machine = Machine(600)  # so far off that AWS refuses its signatures
    machine.aws.status = 403
    with pytest.raises(ClientError):
        machine.call()
    assert abs(machine.error_seconds) <= 1


@pytest.mark.parametrize("date", ["yesterday", "Tue, 01 Jan 2030 12:00:00 -0000"])
def test_a_date_that_cannot_be_read_teaches_nothing(date: str) -> None:
    machine = Machine(31)
    machine.aws.date = date
    machine.call()
    assert machine.clock() == machine.own()


def test_a_wrong_clock_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(31)
    for _ in range(5):
        machine.call()
        machine.aws.pass_time(2)
    (said,) = [record for record in caplog.records if "clock" in record.message]
    assert said.__dict__["seconds_behind"] == pytest.approx(31, abs=1)


def test_the_lease_of_a_worker_half_a_minute_behind_is_not_taken_over() -> None:
    late = Machine(31)
    late.call()
    deadline_at = START + timedelta(hours=1)
    store = InMemoryRequestStore(late.aws.clock)
    store.accept(A_REQUEST.model_copy(update={"deadline_at": deadline_at}))
    store.seen_with(late.clock).claim(A_REQUEST.request_id, "late", lease_seconds=30)
    late.aws.pass_time(5)

    with pytest.raises(ClaimRefusedError):
        store.claim(A_REQUEST.request_id, "right", lease_seconds=30)
