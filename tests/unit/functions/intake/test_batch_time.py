"""A batch that takes long."""

from itertools import count

from functions.intake.batch import BatchIntake
from functions.intake.service import IntakeService
from penstock.contracts.errors import UnavailableError
from penstock.contracts.request import AsyncRequest
from penstock.contracts.submission import Submission
from tests.unit.functions.world import ACME, OCR, World


def test_items_for_which_no_time_is_left_are_refused_to_be_sent_again(world: World) -> None:
    service = IntakeService(
        catalog=world.catalog,
        requests=world.requests,
        payloads=world.payloads,
        queue_of=world.queue_of,
        clock=world.clock,
    )
    ticks = count()  # a second passes at every look at the clock
    batches = BatchIntake(service=service, seconds=2, elapsed=lambda: next(ticks))
    items = [Submission(tenant=ACME, payload=b"1") for _ in range(1_600)]

    ends = batches.accept(items, OCR.resolve(world.catalog))

    accepted = [isinstance(end, AsyncRequest) for end in ends]
    assert accepted == [*[True] * 500, *[False] * 1_100]
    assert all(isinstance(end, UnavailableError) for end in ends[500:])
    assert world.requests.count_open(ACME, 2_000) == 500
