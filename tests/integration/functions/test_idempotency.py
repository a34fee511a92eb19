"""The same submission from many callers at once, over AWS in this process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import Any

import pytest
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend

from functions.intake.service import IntakeService
from penstock.adapters.aws.clients import client, forget_clients
from penstock.adapters.aws.objects import S3PayloadStore
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.adapters.in_memory import InMemoryCatalog
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.errors import IdempotencyConflictError
from penstock.contracts.message import INLINE_LIMIT_BYTES
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest, Tenant
from penstock.contracts.submission import Submission, Target
from penstock.dialects.address import Address
from tests.aws_variables import set_aws_variables
from tests.integration.adapters.conftest import create_tables

pytestmark = pytest.mark.integration

CALLERS = 20
OCR = Address(readings=(Target(model_id="ocr"),))


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[SqsRequestQueue]:
    set_aws_variables(monkeypatch)
    _make_puts_atomic(monkeypatch)
    with mock_aws():
        forget_clients()
        create_tables()
        client("s3").create_bucket(
            Bucket="payloads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        p0, p1, p2 = (
            client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("p0", "p1", "p2")
        )
        yield SqsRequestQueue((p0, p1, p2), client("sqs"))
    forget_clients()


def _make_puts_atomic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no put come between condition and write of another: DynamoDB does so, moto does not."""
    put_item, one_at_a_time = DynamoDBBackend.put_item, Lock()

    def put(*args: Any, **kwargs: Any) -> Any:
        with one_at_a_time:
            return put_item(*args, **kwargs)

    monkeypatch.setattr(DynamoDBBackend, "put_item", put)


@pytest.fixture
def service(queue: SqsRequestQueue) -> IntakeService:
    deployment = Deployment(
        model_id="ocr", deployment_id="v1", queue_urls=("", "", ""), dead_letter_queue_url=""
    )
    model = Model(model_id="ocr", environments={"production": "v1"}, deployments={"v1": deployment})
    return IntakeService(
        catalog=InMemoryCatalog([model]),
        requests=DynamoRequestStore("requests", client("dynamodb")),
        payloads=S3PayloadStore("payloads", client("s3")),
        queue_of=lambda _: queue,
        clock=utc_now,
    )


def at_once(service: IntakeService, submissions: list[Submission]) -> list[AsyncRequest | None]:
    """Return what each caller got; `None` is a conflict."""
    start = Barrier(len(submissions))

    def call(submission: Submission) -> AsyncRequest | None:
        start.wait(timeout=10)
        try:
            return service.accept(submission, OCR)
        except IdempotencyConflictError:
            return None

    with ThreadPoolExecutor(len(submissions)) as callers:
        return list(callers.map(call, submissions))


def queued(queue: SqsRequestQueue) -> list[str]:
    """Return the ids of the messages that wait; a request may have several."""
    ids: list[str] = []
    while received := queue.receive(
        priority=0, max_messages=10, wait_seconds=0, visible_after_seconds=60
    ):
        ids += [delivery.message.request_id for delivery in received]
    return ids


def test_the_same_submission_sent_at_once_is_one_request(
    service: IntakeService, queue: SqsRequestQueue
) -> None:
    submission = Submission(tenant=Tenant("acme"), payload=b"1", idempotency_key="k")
    rows = at_once(service, [submission] * CALLERS)

    (request_id,) = {row.request_id for row in rows if row is not None}
    assert None not in rows
    assert set(queued(queue)) == {request_id}
    service.requests.claim(request_id, "worker", 30)
    service.accept(submission, OCR)
    assert queued(queue) == []


def test_different_submissions_under_one_key_sent_at_once_have_one_winner_with_its_payload(
    service: IntakeService, queue: SqsRequestQueue
) -> None:
    payloads = [bytes([number]) * (INLINE_LIMIT_BYTES + 1) for number in range(CALLERS)]
    rows = at_once(
        service,
        [Submission(tenant=Tenant("acme"), payload=p, idempotency_key="k") for p in payloads],
    )

    (winner,) = [number for number, row in enumerate(rows) if row is not None]
    (delivery,) = queue.receive(
        priority=0, max_messages=10, wait_seconds=0, visible_after_seconds=60
    )
    assert delivery.message.stored is not None
    assert service.payloads.read(delivery.message.stored) == payloads[winner]
