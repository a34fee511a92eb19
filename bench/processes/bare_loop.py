"""The floor of a dispatcher: the calls that no queue worker over AWS can avoid, and no more.

For each request: receive, claim, put, finish, publish, delete. What SQS and SNS take by ten is
sent by ten. There is no model, no lease to renew, no slot to keep, no retry and no log.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import boto3
from pydantic import BaseModel

from bench.backends.in_process import InProcess
from bench.backends.requests import waiting_requests
from bench.processes.starting import report, settings_text
from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Succeeded

_BATCH = 10
_RESULT = b'{"ok": true}'
_CLAIM = (
    "SET #state = :claimed, lease_until = :until ADD attempt :one",
    "#state = :queued OR lease_until < :until",
)
_FINISH = ("SET #state = :done REMOVE lease_until, sweep_shard, sweep_at", "attempt = :one")


class BareLoopSettings(BaseModel):
    """How much a bare loop does."""

    requests: int
    in_process: bool = False
    threads: int = 1


class BareAwsLoop:
    """boto3 as it comes."""

    def __init__(self, environment: DispatcherEnvironment) -> None:
        self._environment = environment
        session = boto3.session.Session()
        self._sqs, self._sns = session.client("sqs"), session.client("sns")
        self._dynamodb, self._s3 = session.client("dynamodb"), session.client("s3")

    def turn(self) -> int:
        """Work on what one receive brings; return how many requests that were."""
        for queue_url in self._environment.queue_urls:
            received = self._sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=_BATCH)
            if messages := received.get("Messages", []):
                self._work(queue_url, messages)
                return len(messages)
        return 0

    def _work(self, queue_url: str, messages: Sequence[Any]) -> None:
        for message in messages:
            request_id = message["Body"].partition('"request_id":"')[2][:32]
            self._update(request_id, *_CLAIM, {":claimed": "IN_PROGRESS", ":queued": "QUEUED"})
            self._s3.put_object(
                Bucket=self._environment.results_bucket,
                Key=f"results/{request_id}",
                Body=_RESULT,
                ContentType="application/json",
                IfNoneMatch="*",
            )
            self._update(request_id, *_FINISH, {":done": "SUCCEEDED"})
        self._sns.publish_batch(
            TopicArn=self._environment.succeeded_topic,
            PublishBatchRequestEntries=[
                {"Id": str(index), "Message": message["Body"]}
                for index, message in enumerate(messages)
            ],
        )
        self._sqs.delete_message_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages)
            ],
        )

    def _update(self, request_id: str, update: str, condition: str, states: dict[str, str]) -> None:
        values: dict[str, Any] = {name: {"S": state} for name, state in states.items()}
        values[":one"] = {"N": "1"}
        if ":until" in update:
            values[":until"] = {"N": str(time.time_ns() // 1_000)}
        self._dynamodb.update_item(
            TableName=self._environment.requests_table,
            Key={"request_id": {"S": request_id}},
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )


class BarePortLoop:
    """The same over the ports in memory."""

    def __init__(self, requests: int) -> None:
        self.world = InProcess()
        self.world.feed(waiting_requests(requests))

    def turn(self) -> int:
        """Work on what one receive brings; return how many requests that were."""
        world = self.world
        for lane in range(3):
            received = world.queue.receive(
                priority=lane, max_messages=_BATCH, wait_seconds=0, visible_after_seconds=30
            )
            for delivery in received:
                request_id = delivery.message.request_id
                claimed = world.requests.claim(request_id, "bench", 30)
                stored = world.results.put_result(request_id, _RESULT, "application/json")
                ended = world.requests.finish(claimed, Succeeded(result=stored))
                world.notifier.publish([Notification.of(ended)])
            world.queue.delete(received)
            if received:
                return len(received)
        return 0


def _measured(turn: Callable[[], int], settings: BareLoopSettings) -> dict[str, float]:
    turn()
    wanted = count(0, _BATCH)

    def work(_: int) -> int:
        done = 0
        while next(wanted) < settings.requests and (more := turn()):
            done += more
        return done

    started, used = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(settings.threads) as threads:
        done = sum(threads.map(work, range(settings.threads)))
    return {
        "requests": done,
        "seconds": time.monotonic() - started,
        "cpu_seconds": time.process_time() - used,
    }


def main() -> None:
    """Run as the starter says."""
    settings = BareLoopSettings.model_validate_json(settings_text())
    if settings.in_process:
        turn = BarePortLoop(settings.requests + _BATCH).turn
    else:
        turn = BareAwsLoop(DispatcherEnvironment.read()).turn
    report(_measured(turn, settings))


if __name__ == "__main__":
    main()
