"""The queue that the webhooks function is fed from."""

from typing import TYPE_CHECKING

from penstock.adapters.aws.availability import aws_call
from penstock.adapters.visibility import visibility_seconds

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsWebhookQueue:
    """Lambda receives and deletes its messages; only their delay is ours."""

    def __init__(self, queue_url: str, sqs: "SQSClient") -> None:
        self._queue_url = queue_url
        self._sqs = sqs

    def delay(self, receipt: str, seconds: float) -> None:
        """Hide a message that was just received for so many seconds from now.

        Raises:
            UnavailableError: it comes again when its visibility runs out.
        """
        with aws_call("delay a webhook"):
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=receipt,
                VisibilityTimeout=visibility_seconds(seconds, held_seconds=0),
            )
