"""The queue that the webhooks function is fed from."""

from typing import TYPE_CHECKING

from penstock.adapters.aws.availability import aws_call
from penstock.adapters.aws.dead_letters import REASON_LENGTH
from penstock.adapters.visibility import visibility_seconds
from penstock.contracts.notification import Notification
from penstock.contracts.queue_text import travelling_text

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_HELD_SECONDS = 120
"""Lambda does not tell when it received a message; no invocation of ours lasts longer."""


class SqsWebhookQueue:
    """`WebhookQueue` over SQS; Lambda receives and deletes its messages."""

    def __init__(
        self, queue_url: str, sqs: "SQSClient", *, dead_letter_queue_url: str = ""
    ) -> None:
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url
        self._sqs = sqs

    def send(self, notification: Notification) -> None:
        """Make a webhook due now, as the topics' subscriptions do."""
        with aws_call("send a webhook"):
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=notification.encoded())

    def hide(self, receipt: str, seconds: float) -> None:
        """Keep a received message invisible for so many seconds from now.

        Raises:
            UnavailableError: it comes again when its visibility runs out.
        """
        with aws_call("hide a webhook"):
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=receipt,
                VisibilityTimeout=visibility_seconds(seconds, _HELD_SECONDS),
            )

    def bury(self, body: str, reason: str) -> None:
        """Keep a copy of a message, if there is a queue for them.

        A copy lies there for the queue's whole retention. SQS counts a message that it moves by
        itself from the moment it was first sent, and does not say why it did.
        """
        if not self._dead_letter_queue_url:
            return
        written = travelling_text(reason)[:REASON_LENGTH]
        with aws_call("bury a webhook"):
            self._sqs.send_message(
                QueueUrl=self._dead_letter_queue_url,
                MessageBody=body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": written}},
            )
