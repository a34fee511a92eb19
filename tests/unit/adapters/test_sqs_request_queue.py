"""What the queue makes of SQS's partial failures and limits."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.requests.batches import message_batches
from penstock.adapters.aws.requests.queue import SqsRequestQueue, fairness_group
from penstock.adapters.in_memory import FakeClock
from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import RequestId

pytestmark = pytest.mark.usefixtures("aws_variables")

URLS = ("https://sqs/1/p0", "https://sqs/1/p1", "https://sqs/1/p2")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> SqsRequestQueue:
    return SqsRequestQueue(URLS, client("sqs"), clock)


def deliveries(clock: FakeClock, number: int, priority: int = 0) -> list[Delivery]:
    message = QueueMessage(request_id=RequestId("0" * 32), text="{}")
    return [Delivery(message, priority, f"receipt-{n}", clock()) for n in range(number)]


def failed(index: int, code: str) -> dict[str, Any]:
    return {"Id": str(index), "SenderFault": True, "Code": code}


def answer(stubber: Stubber, operation: str, *failures: dict[str, Any]) -> None:
    stubber.add_response(operation, {"Successful": [], "Failed": list(failures)})


def test_deliveries_that_sqs_knows_no_more_are_handed_back(
    queue: SqsRequestQueue, clock: FakeClock
) -> None:
    held = deliveries(clock, 12)
    with Stubber(client("sqs")) as stubber:
        answer(
            stubber,
            "change_message_visibility_batch",
            failed(1, "ReceiptHandleIsInvalid"),
            failed(2, "AWS.SimpleQueueService.MessageNotInflight"),
        )
        answer(stubber, "change_message_visibility_batch", failed(1, "InvalidParameterValue"))
        assert queue.hide(held, 30) == [held[1], held[2], held[11]]


def test_every_batch_is_tried_before_a_failure_is_raised(
    queue: SqsRequestQueue, clock: FakeClock
) -> None:
    with Stubber(client("sqs")) as stubber:
        stubber.add_client_error("delete_message_batch", "ThrottlingException")
        answer(stubber, "delete_message_batch", failed(0, "InternalError"))
        answer(stubber, "delete_message_batch")
        with pytest.raises(UnavailableError, match="delete messages failed: InternalError"):
            queue.delete(deliveries(clock, 11) + deliveries(clock, 1, priority=2))
        stubber.assert_no_pending_responses()


def test_a_stale_receipt_does_not_keep_a_delete_from_succeeding(
    queue: SqsRequestQueue, clock: FakeClock
) -> None:
    with Stubber(client("sqs")) as stubber:
        answer(stubber, "delete_message_batch", failed(0, "ReceiptHandleIsInvalid"))
        queue.delete(deliveries(clock, 1))
        stubber.assert_no_pending_responses()


def test_each_message_is_hidden_only_for_what_is_left_of_its_twelve_hours(
    queue: SqsRequestQueue, clock: FakeClock
) -> None:
    old = deliveries(clock, 1)
    clock.advance(timedelta(hours=11, minutes=59, seconds=30.5).total_seconds())
    entries = [("receipt-0", 24), ("receipt-0", 60)]
    with Stubber(client("sqs")) as stubber:
        stubber.add_response(
            "change_message_visibility_batch",
            {"Successful": [], "Failed": []},
            {
                "QueueUrl": URLS[0],
                "Entries": [
                    {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                    for index, (receipt, seconds) in enumerate(entries)
                ],
            },
        )
        assert queue.hide(old + deliveries(clock, 1), 59.1) == []


@pytest.mark.parametrize("tenant", ["acme", "a" * 128, "org:acme/team-1"])
def test_a_tenant_is_its_own_fairness_group(tenant: str) -> None:
    assert fairness_group(tenant) == tenant


@pytest.mark.parametrize("tenant", ["", "a" * 129, "two words", "Müller"])
def test_a_tenant_that_sqs_would_refuse_is_hashed(tenant: str) -> None:
    group = fairness_group(tenant)
    assert len(group) == 64
    assert group.isalnum()
    assert group != fairness_group(tenant + "x")


def messages(sizes: list[int]) -> list[QueueMessage]:
    return [
        QueueMessage(request_id=RequestId(f"{number:032x}"), text="x" * size)
        for number, size in enumerate(sizes)
    ]


def test_messages_that_were_not_taken_are_named(queue: SqsRequestQueue) -> None:
    sent = messages([1] * 25)
    with Stubber(client("sqs")) as stubber:
        answer(stubber, "send_message_batch", failed(3, "InternalError"))
        stubber.add_client_error("send_message_batch", "RequestThrottled")
        answer(stubber, "send_message_batch")
        left = queue.send_many(sent, priority=2, tenant="acme")
        stubber.assert_no_pending_responses()
    assert list(left) == [sent[3].request_id, *(each.request_id for each in sent[10:20])]


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ([], []),
        ([1] * 10, [10]),
        ([1] * 21, [10, 10, 1]),
        ([200_000] * 7, [5, 2]),
        ([500_000, 500_000, 500_000, 1], [2, 2]),
    ],
)
def test_a_batch_holds_ten_messages_and_one_mebibyte(sizes: list[int], counts: list[int]) -> None:
    batches = list(message_batches(messages(sizes)))
    assert [len(batch) for batch in batches] == counts
    assert all(sum(len(body) for _, body in batch) <= 1024 * 1024 for batch in batches)
