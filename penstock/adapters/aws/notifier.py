"""The SNS topics that hear of ended requests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.contracts.errors import TopicRefusedError
from penstock.contracts.notification import Notification
from penstock.contracts.request import RequestState

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef

_BATCH_SIZE = 10  # SNS: entries of one PublishBatch


class SnsNotifier:
    """`Notifier` over two topics."""

    def __init__(self, succeeded_topic: str, failed_topic: str, sns: "SNSClient") -> None:
        self._succeeded_topic = succeeded_topic
        self._failed_topic = failed_topic
        self._sns = sns

    def publish_to(self, topic_arn: str, text: str) -> None:
        """Send one message to a topic of the caller's choice."""
        try:
            with aws_call("publish to topic"):
                self._sns.publish(TopicArn=topic_arn, Message=text)
        except ClientError as error:
            # What may succeed later is `UnavailableError` before; the topic is not ours.
            code = error_code(error)
            raise TopicRefusedError(f"topic {topic_arn} refused a message: {code}") from error

    def publish(self, notifications: Sequence[Notification]) -> Sequence[Notification]:
        """Announce ended requests; return those that SNS did not take."""
        by_topic: dict[str, list[Notification]] = {}
        for notification in notifications:
            succeeded = notification.state is RequestState.SUCCEEDED
            topic = self._succeeded_topic if succeeded else self._failed_topic
            by_topic.setdefault(topic, []).append(notification)
        return [
            refused
            for topic, ended in by_topic.items()
            for start in range(0, len(ended), _BATCH_SIZE)
            for refused in self._publish_batch(topic, ended[start : start + _BATCH_SIZE])
        ]

    def _publish_batch(self, topic: str, batch: Sequence[Notification]) -> list[Notification]:
        with aws_call("publish notifications"):
            response = self._sns.publish_batch(
                TopicArn=topic,
                PublishBatchRequestEntries=[
                    _entry(str(index), notification) for index, notification in enumerate(batch)
                ],
            )
        return [batch[int(failed["Id"])] for failed in response.get("Failed", [])]


def _entry(entry_id: str, notification: Notification) -> "PublishBatchRequestEntryTypeDef":
    attributes = {
        "event_id": notification.event_id,
        "model_id": notification.model_id,
        "deployment_id": notification.deployment_id,
        "state": notification.state.value,
        # Subscriptions filter on it: the webhook queue wants only "true".
        "webhook": "true" if notification.has_webhook else "false",
    }
    return {
        "Id": entry_id,
        "Message": notification.encoded(),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
