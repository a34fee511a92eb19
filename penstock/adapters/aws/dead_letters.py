"""The dead-letter queue of one deployment, or that of the webhooks."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from penstock.adapters.addressee import addressee
from penstock.adapters.aws.availability import aws_call
from penstock.contracts.errors import UnavailableError
from penstock.contracts.ports.dead_letters import DeadLetter
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.queue_text import travelling_text

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_BATCH_SIZE = 10  # SQS: entries of one batch, messages of one receive
_WAIT_SECONDS = 1  # a short poll asks only some servers, and misses what lies on the others
REASON_LENGTH = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SqsDeadLetterQueue:
    """`DeadLetterQueue` over one queue; what SQS moved there carries no attributes of ours."""

    def __init__(self, queue_url: str, sqs: "SQSClient") -> None:
        self._queue_url = queue_url
        self._sqs = sqs

    def bury(self, delivery: Delivery, reason: str) -> None:
        """Keep a copy of a message, with the reason and the lane it came from."""
        written = travelling_text(reason)[:REASON_LENGTH]
        with aws_call("bury message"):
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=delivery.message.encoded(),
                MessageAttributes={
                    "reason": {"DataType": "String", "StringValue": written},
                    "priority": {"DataType": "Number", "StringValue": str(delivery.priority)},
                },
            )

    def look(self, max_letters: int, hidden_seconds: float) -> Sequence[DeadLetter]:
        """Return letters and hide them for so long."""
        letters: list[DeadLetter] = []
        while len(letters) < max_letters:
            with aws_call("look at dead letters"):
                received = self._sqs.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=min(max_letters - len(letters), _BATCH_SIZE),
                    WaitTimeSeconds=_WAIT_SECONDS,
                    VisibilityTimeout=math.ceil(hidden_seconds),
                    MessageSystemAttributeNames=["SentTimestamp"],
                    MessageAttributeNames=["reason", "priority"],
                ).get("Messages", [])
            if not received:
                break
            letters += [_letter(message) for message in received]
        return letters

    def put_back(self, letters: Sequence[DeadLetter]) -> None:
        """Show letters to others at once."""
        for batch in _batches(letters):
            # What SQS refuses is gone, or visible already.
            with aws_call("put back dead letters"):
                self._sqs.change_message_visibility_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {
                            "Id": str(index),
                            "ReceiptHandle": letter.receipt,
                            "VisibilityTimeout": 0,
                        }
                        for index, letter in enumerate(batch)
                    ],
                )

    def drop(self, letters: Sequence[DeadLetter]) -> None:
        """Remove letters for good."""
        for batch in _batches(letters):
            with aws_call("drop dead letters"):
                response = self._sqs.delete_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": letter.receipt}
                        for index, letter in enumerate(batch)
                    ],
                )
            if failed := response.get("Failed", []):
                raise UnavailableError("drop dead letters", failed[0]["Code"])

    def count(self) -> int:
        """Return how many lie there, hidden ones included."""
        with aws_call("count dead letters"):
            counts = self._sqs.get_queue_attributes(
                QueueUrl=self._queue_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
        return sum(int(count) for count in counts.values())


def _batches(letters: Sequence[DeadLetter]) -> Iterator[Sequence[DeadLetter]]:
    for start in range(0, len(letters), _BATCH_SIZE):
        yield letters[start : start + _BATCH_SIZE]


def _letter(message: "MessageTypeDef") -> DeadLetter:
    buried = {
        name: attribute.get("StringValue", "")
        for name, attribute in message.get("MessageAttributes", {}).items()
    }
    return DeadLetter(
        body=message["Body"],
        receipt=message["ReceiptHandle"],
        sent_at=_EPOCH + timedelta(milliseconds=int(message["Attributes"]["SentTimestamp"])),
        request_id=addressee(message["Body"]),
        priority=int(buried["priority"]) if "priority" in buried else None,
        reason=buried.get("reason", ""),
    )
