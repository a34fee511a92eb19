"""The three SQS queues of one deployment."""

import hashlib
import logging
import math
import string
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.adapters.aws.requests.batches import BATCH_SIZE, message_batches
from penstock.adapters.visibility import delay, visibility_seconds
from penstock.contracts.errors import QueueGoneError, UnavailableError
from penstock.contracts.message import MalformedMessageError, QueueMessage
from penstock.contracts.ports.clock import Clock, utc_now
from penstock.contracts.ports.requests import Delivery, QueueDepth
from penstock.contracts.request import RequestId

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef, MessageTypeDef

    ChangeBatch = Callable[[str, Sequence[Delivery]], Sequence[BatchResultErrorEntryTypeDef]]

_STALE_RECEIPT = {"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"}
_NO_SUCH_QUEUE = {"NonExistentQueue", "QueueDoesNotExist"}
_GROUP_ALPHABET = frozenset(string.ascii_letters + string.digits + string.punctuation)
_GROUP_LENGTH = 128

logger = logging.getLogger(__name__)


class SqsRequestQueue:
    """`RequestQueue` over one standard queue per priority."""

    def __init__(
        self, queue_urls: tuple[str, str, str], sqs: "SQSClient", clock: Clock = utc_now
    ) -> None:
        self._queue_urls = queue_urls
        self._sqs = sqs
        self._clock = clock

    def send(
        self, message: QueueMessage, *, priority: int, tenant: str, delay_seconds: float = 0
    ) -> None:
        """Make `message` visible in the lane, at once or later."""
        with _sending("send message"):
            self._sqs.send_message(
                QueueUrl=self._queue_urls[priority],
                MessageBody=message.encoded(),
                MessageGroupId=fairness_group(tenant),
                DelaySeconds=delay(delay_seconds),
            )

    def send_many(
        self, messages: Sequence[QueueMessage], *, priority: int, tenant: str
    ) -> Collection[RequestId]:
        """Make messages visible in the lane; a batch that failed counts as not taken.

        Raises:
            QueueGoneError: the lane is not there.
        """
        left: list[RequestId] = []
        for batch in message_batches(messages):
            try:
                with _sending("send messages"):
                    failed = self._sqs.send_message_batch(
                        QueueUrl=self._queue_urls[priority],
                        Entries=[
                            {
                                "Id": str(index),
                                "MessageBody": body,
                                "MessageGroupId": fairness_group(tenant),
                            }
                            for index, (_, body) in enumerate(batch)
                        ],
                    ).get("Failed", [])
                left += [batch[int(entry["Id"])][0] for entry in failed]
            except QueueGoneError:
                raise
            except UnavailableError:
                left += [request_id for request_id, _ in batch]
        return left

    def receive(
        self, *, priority: int, max_messages: int, wait_seconds: int, visible_after_seconds: float
    ) -> Sequence[Delivery]:
        """Take messages of one lane."""
        with aws_call("receive messages"):
            response = self._sqs.receive_message(
                QueueUrl=self._queue_urls[priority],
                MaxNumberOfMessages=min(max_messages, BATCH_SIZE),
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=math.ceil(visible_after_seconds),
                MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
            )
        received = (self._delivery(found, priority) for found in response.get("Messages", []))
        return [delivery for delivery in received if delivery is not None]

    def hide(self, deliveries: Sequence[Delivery], seconds: float) -> Sequence[Delivery]:
        """Keep messages invisible for so long from now; return those that are ours no more."""

        def change(
            queue_url: str, batch: Sequence[Delivery]
        ) -> list["BatchResultErrorEntryTypeDef"]:
            now = self._clock()
            response = self._sqs.change_message_visibility_batch(
                QueueUrl=queue_url,
                Entries=[
                    {
                        "Id": str(index),
                        "ReceiptHandle": delivery.receipt,
                        "VisibilityTimeout": visibility_seconds(
                            seconds, (now - delivery.received_at).total_seconds()
                        ),
                    }
                    for index, delivery in enumerate(batch)
                ],
            )
            return response.get("Failed", [])

        return self._in_batches("hide messages", deliveries, change)

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Remove messages for good."""

        def change(
            queue_url: str, batch: Sequence[Delivery]
        ) -> list["BatchResultErrorEntryTypeDef"]:
            response = self._sqs.delete_message_batch(
                QueueUrl=queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": delivery.receipt}
                    for index, delivery in enumerate(batch)
                ],
            )
            return response.get("Failed", [])

        self._in_batches("delete messages", deliveries, change)

    def depth(self) -> QueueDepth:
        """Return the sum over the lanes."""
        queued = in_progress = 0
        for queue_url in self._queue_urls:
            with aws_call("read queue depth"):
                counts = self._sqs.get_queue_attributes(
                    QueueUrl=queue_url,
                    AttributeNames=[
                        "ApproximateNumberOfMessages",
                        "ApproximateNumberOfMessagesDelayed",
                        "ApproximateNumberOfMessagesNotVisible",
                    ],
                )["Attributes"]
            queued += int(counts["ApproximateNumberOfMessages"])
            queued += int(counts["ApproximateNumberOfMessagesDelayed"])
            in_progress += int(counts["ApproximateNumberOfMessagesNotVisible"])
        return QueueDepth(queued=queued, in_progress=in_progress)

    def _delivery(self, found: "MessageTypeDef", priority: int) -> Delivery | None:
        receive_count = int(found["Attributes"]["ApproximateReceiveCount"])
        try:
            message = QueueMessage.decoded(found["Body"])
        except MalformedMessageError:
            # Neither the body nor the error that quotes it goes into a log.
            unreadable = {
                "message_id": found["MessageId"],
                "queue_url": self._queue_urls[priority],
                "receive_count": receive_count,
            }
            logger.warning("queue message is unreadable", extra=unreadable)
            return None
        return Delivery(
            message=message,
            priority=priority,
            receipt=found["ReceiptHandle"],
            received_at=self._clock(),
            receive_count=receive_count,
            tenant=found["Attributes"].get("MessageGroupId", ""),
        )

    def _in_batches(
        self, operation: str, deliveries: Sequence[Delivery], change: "ChangeBatch"
    ) -> list[Delivery]:
        """Return those whose receipt SQS refused; raise other failures once all were tried."""
        stale: list[Delivery] = []
        failure: UnavailableError | None = None
        for queue_url, batch in self._batches(deliveries):
            try:
                with aws_call(operation):
                    failed = change(queue_url, batch)
            except UnavailableError as error:
                failure = error
                continue
            for entry in failed:
                code = entry["Code"].rpartition(".")[-1]
                if code in _STALE_RECEIPT:
                    stale.append(batch[int(entry["Id"])])
                else:
                    failure = UnavailableError(operation, code)
        if failure is not None:
            raise failure
        return stale

    def _batches(self, deliveries: Sequence[Delivery]) -> Iterator[tuple[str, Sequence[Delivery]]]:
        for priority, queue_url in enumerate(self._queue_urls):
            lane = [delivery for delivery in deliveries if delivery.priority == priority]
            for start in range(0, len(lane), BATCH_SIZE):
                yield queue_url, lane[start : start + BATCH_SIZE]


@contextmanager
def _sending(operation: str) -> Iterator[None]:
    try:
        with aws_call(operation):
            yield
    except ClientError as error:
        if error_code(error) not in _NO_SUCH_QUEUE:
            raise
        raise QueueGoneError(operation) from error


def fairness_group(tenant: str) -> str:
    """Return the `MessageGroupId` of a tenant: its name, or a hash where SQS would refuse it."""
    if 0 < len(tenant) <= _GROUP_LENGTH and _GROUP_ALPHABET.issuperset(tenant):
        return tenant
    return hashlib.sha256(tenant.encode()).hexdigest()
