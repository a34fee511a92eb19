"""What is believed after a fault: what the model wrote down, and what subscribers heard."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from penstock.contracts.notification import Notification
from penstock.local.emulated_aws import EmulatedAws


@dataclass(frozen=True)
class Record:
    """One line of the recorder model."""

    event: str
    request_id: str
    pid: int
    at: float
    """Seconds since 1970."""


class Records:
    """The file that all processes of the recorder model append to."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.touch()

    def all(self) -> list[Record]:
        """Return every line, oldest first."""
        lines = self.file.read_text().splitlines()
        return [Record(**json.loads(line)) for line in lines]

    def running_at(self, pid: int) -> set[str]:
        """Return the requests whose calls in one model server have begun and not ended."""
        running: set[str] = set()
        for record in self.all():
            if record.pid == pid and record.event == "start":
                running.add(record.request_id)
            elif record.pid == pid:
                running.discard(record.request_id)
        return running

    def of(self, request_id: str, event: str) -> list[Record]:
        """Return what happened to one request."""
        return [r for r in self.all() if (r.request_id, r.event) == (request_id, event)]


class Subscriber:
    """A queue of its own that hears every notification of a stack."""

    def __init__(self, aws: EmulatedAws, topics: tuple[str, str]) -> None:
        self._sqs = aws.sqs
        self._queue_url = self._sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
        for topic in topics:
            aws.sns.subscribe(
                TopicArn=topic,
                Protocol="sqs",
                Endpoint=arn,
                Attributes={"RawMessageDelivery": "true"},
            )
        self._event_ids: defaultdict[str, list[str]] = defaultdict(list)

    def event_ids(self, request_id: str) -> list[str]:
        """Return the event ids of all notifications of a request so far."""
        while messages := self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                notification = Notification.model_validate_json(message["Body"])
                self._event_ids[notification.request_id].append(notification.event_id)
                self._sqs.delete_message(
                    QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return self._event_ids[request_id]
