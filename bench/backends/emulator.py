"""MiniStack, with the resources of one stack in it."""

import asyncio
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from bench.backends.requests import Waiting, models
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.row import item_of
from penstock.contracts.environments import (
    DispatcherEnvironment,
    IntakeEnvironment,
    StatusEnvironment,
)
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest
from penstock.local.emulated_aws import EmulatedAws
from penstock.local.emulator import Emulator, Interpreter
from penstock.local.state import StateFolder

_T = TypeVar("_T")

_REGION = "eu-central-1"
_INDEXES = {
    "sweep": ("sweep_shard", "sweep_at"),
    "open": ("open_tenant", "created_at"),
    "listed": ("list_key", "created_at"),
    "caller": ("caller_key", "created_at"),
}
_ROWS_PER_WRITE = 25  # DynamoDB
_MESSAGES_PER_SEND = 500
_WRITERS = 4
_GRACE_SECONDS = 3


@dataclass(frozen=True)
class Topics:
    """Where ends are announced; nobody subscribes."""

    succeeded: str
    failed: str


@dataclass(frozen=True)
class EmulatedStack:
    """Tables, buckets and topics; queues are made fresh for each measurement."""

    variables: Mapping[str, str]
    """What points a process's AWS SDK to the emulator."""

    interpreter: str
    """The Python that its Lambda functions run in."""

    pid: int
    aws: EmulatedAws
    topics: Topics
    _numbers: Iterator[int]

    def cpu_seconds(self) -> float:
        """Return the CPU time that the emulator has used so far."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def new_queues(self) -> tuple[str, str, str]:
        """Make the three queues of a deployment."""
        number = next(self._numbers)
        urls = [
            self.aws.sqs.create_queue(QueueName=f"bench-{number}-p{lane}")["QueueUrl"]
            for lane in range(3)
        ]
        return urls[0], urls[1], urls[2]

    def feed(
        self,
        queues: tuple[str, str, str],
        waiting: Iterable[Waiting],
        rows: int | None = None,
    ) -> None:
        """Accept requests into the queues of a deployment; only the first `rows` get a row."""
        requests = list(waiting)
        self.put_rows(requests[:rows])
        self.send(queues, requests)

    def put_rows(self, waiting: Iterable[Waiting]) -> None:
        """Put the rows of requests."""
        rows = (each.row for each in waiting)
        with ThreadPoolExecutor(_WRITERS) as threads:
            list(threads.map(self._put_rows, _chunks(rows, _ROWS_PER_WRITE)))

    def send(self, queues: tuple[str, str, str], waiting: Sequence[Waiting]) -> None:
        """Send the messages of requests."""
        queue = SqsRequestQueue(queues, self.aws.sqs)
        for lane in range(3):
            own = [each.message for each in waiting if each.priority == lane]
            for messages in _chunks(own, _MESSAGES_PER_SEND):
                queue.send_many(messages, priority=lane, tenant="bench")

    def clear(self, queues: tuple[str, str, str], waiting: Iterable[Waiting]) -> None:
        """Remove queues and rows that nobody will look at again: they slow the emulator down."""
        for url in queues:
            self.aws.sqs.delete_queue(QueueUrl=url)
        deletions = (
            {"DeleteRequest": {"Key": {"request_id": {"S": each.row.request_id}}}}
            for each in waiting
        )
        with ThreadPoolExecutor(_WRITERS) as threads:
            list(threads.map(self._write, _chunks(deletions, _ROWS_PER_WRITE)))

    def tell_catalog(self, queues: list[tuple[str, str, str]]) -> None:
        """Make as many models known."""
        for model in models(queues):
            item = {"model_id": {"S": model.model_id}, "model": {"S": model.model_dump_json()}}
            self.aws.dynamodb.put_item(TableName="catalog", Item=item)

    def dispatcher_variables(
        self, queues: tuple[str, str, str], **settings: object
    ) -> dict[str, Any]:
        """Return the environment of a dispatcher over these queues."""
        return DispatcherEnvironment.variables(
            model_id="model-0",
            deployment_id="model-0-v1",
            **{f"queue_url_p{lane}": url for lane, url in enumerate(queues)},
            dead_letter_queue_url="dead",
            requests_table="requests",
            payloads_bucket="payloads",
            results_bucket="results",
            succeeded_topic=self.topics.succeeded,
            failed_topic=self.topics.failed,
            **settings,
        )

    def function_variables(self) -> dict[str, Any]:
        """Return the environment of the intake and status functions."""
        shared = {
            "catalog_table": "catalog",
            "requests_table": "requests",
            "results_bucket": "results",
        }
        return {
            **IntakeEnvironment.variables(
                **shared,
                payloads_bucket="payloads",
                api_keys_table="api_keys",
                signing_master_secret_id="none",  # noqa: S106 - no call is signed
            ),
            **StatusEnvironment.variables(**shared),
        }

    def _put_rows(self, rows: list[AsyncRequest]) -> None:
        now = utc_now()
        self._write([{"PutRequest": {"Item": item_of(row, now)}} for row in rows])

    def _write(self, writes: list[Any]) -> None:
        self.aws.dynamodb.batch_write_item(RequestItems={"requests": writes})


@contextmanager
def emulated_stack() -> Iterator[EmulatedStack]:
    """Run an emulator with a stack's resources while the block runs."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        state = StateFolder.at(Path(folder))
        state.prepare()
        interpreter = runner.run(Interpreter.find())
        emulator = runner.run(Emulator.start(interpreter, _REGION, state))
        try:
            aws = emulator.aws()
            aws.make_clients()
            yield EmulatedStack(
                variables=emulator.environment(),
                interpreter=interpreter.executable,
                pid=emulator.child.pid,
                aws=aws,
                topics=_resources(aws),
                _numbers=itertools.count(),
            )
        finally:
            runner.run(emulator.child.stop(_GRACE_SECONDS))


def _resources(aws: EmulatedAws) -> Topics:
    _make_table(aws, "requests", "request_id", _INDEXES)
    _make_table(aws, "catalog", "model_id", {})
    _make_table(aws, "api_keys", "prefix", {})
    for bucket in ("payloads", "results"):
        aws.make_bucket(bucket)
    arns = [aws.sns.create_topic(Name=name)["TopicArn"] for name in ("succeeded", "failed")]
    return Topics(*arns)


def _make_table(
    aws: EmulatedAws, name: str, key: str, indexes: Mapping[str, tuple[str, str]]
) -> None:
    attributes = {key: "S"}
    for text, number in indexes.values():
        attributes |= {text: "S", number: "N"}
    described: Any = [
        {
            "IndexName": index,
            "KeySchema": [
                {"AttributeName": text, "KeyType": "HASH"},
                {"AttributeName": number, "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["tenant"]}
            if index == "sweep"
            else {"ProjectionType": "KEYS_ONLY"},
        }
        for index, (text, number) in indexes.items()
    ]
    typed: Any = [
        {"AttributeName": attribute, "AttributeType": kind}
        for attribute, kind in attributes.items()
    ]
    more: Any = {"GlobalSecondaryIndexes": described} if described else {}
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=typed,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        **more,
    )


def _chunks(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    remaining = iter(values)
    while chunk := list(itertools.islice(remaining, size)):
        yield chunk
