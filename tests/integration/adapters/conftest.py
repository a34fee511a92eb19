"""Every port of both families: tests that take `ports` hold for AWS (moto) and in memory."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from penstock.adapters.aws.clients import client, forget_clients
from penstock.adapters.aws.dead_letters import SqsDeadLetterQueue
from penstock.adapters.aws.directory import DynamoApiKeyStore, DynamoCatalog
from penstock.adapters.aws.limits import DynamoRateLimit
from penstock.adapters.aws.notifier import SnsNotifier
from penstock.adapters.aws.objects import S3PayloadStore, S3ResultStore
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.adapters.aws.signing_secrets import SecretsManagerSigningSecrets
from penstock.adapters.in_memory import (
    FakeClock,
    InMemoryApiKeyStore,
    InMemoryCatalog,
    InMemoryDeadLetterQueue,
    InMemoryNotifier,
    InMemoryPayloadStore,
    InMemoryRateLimit,
    InMemoryRequestQueue,
    InMemoryRequestStore,
    InMemoryResultStore,
    InMemorySigningSecrets,
)
from penstock.contracts.origin import Location
from penstock.contracts.ports.dead_letters import DeadLetterQueue
from penstock.contracts.ports.directory import ApiKeyStore, Catalog
from penstock.contracts.ports.limits import RateLimit
from penstock.contracts.ports.notifications import Notifier, SigningSecrets
from penstock.contracts.ports.objects import PayloadStore, ResultStore
from penstock.contracts.ports.requests import RequestQueue, RequestStore
from tests.aws_variables import set_aws_variables
from tests.integration.adapters.facts import (
    A_CHAIN,
    A_MODEL,
    NO_BUCKET,
    NO_TOPIC,
    REQUESTS_PER_SECOND,
    SIGNING_SECRETS,
)


@dataclass(frozen=True)
class Ports:
    """One family of adapters."""

    clock: FakeClock
    requests: RequestStore
    queue: RequestQueue
    dead_letters: DeadLetterQueue
    payloads: PayloadStore
    results: ResultStore
    notifier: Notifier
    signing_secrets: SigningSecrets
    catalog: Catalog
    api_keys: ApiKeyStore
    rate_limit: RateLimit
    place: Callable[[Location, bytes, str], None]
    """What a caller does who puts an object somewhere, by itself or with an upload's URL."""

    callers_topic: str
    remove_queue: Callable[[], object]
    """What happens when the deployment goes."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Iterator[FakeClock]:
    """An empty AWS in this process, whose queues live by the fake clock."""
    set_aws_variables(monkeypatch)
    # SQS in moto shows a message again strictly after its visibility ended, so time must flow.
    microseconds = itertools.count()

    def milliseconds() -> float:
        return clock().timestamp() * 1000 + next(microseconds) / 1000

    monkeypatch.setattr("moto.sqs.models.unix_time_millis", milliseconds)
    monkeypatch.setattr("moto.sqs.models.unix_time", lambda: milliseconds() / 1000)
    # A long poll in moto ends by that clock, which stands still.
    monkeypatch.setattr("penstock.adapters.aws.dead_letters._WAIT_SECONDS", 0)
    with mock_aws():
        forget_clients()
        yield clock
    forget_clients()


@pytest.fixture
def in_memory_ports(clock: FakeClock) -> Ports:
    payloads, results, notifier = InMemoryPayloadStore(), InMemoryResultStore(), InMemoryNotifier()
    queue = InMemoryRequestQueue(clock)
    results.closed_buckets.add(NO_BUCKET)
    notifier.refusing.add(NO_TOPIC)
    return Ports(
        clock=clock,
        requests=InMemoryRequestStore(clock),
        queue=queue,
        dead_letters=InMemoryDeadLetterQueue(clock),
        payloads=payloads,
        results=results,
        notifier=notifier,
        signing_secrets=InMemorySigningSecrets(*SIGNING_SECRETS),
        catalog=InMemoryCatalog([A_MODEL, A_CHAIN]),
        api_keys=InMemoryApiKeyStore(),
        rate_limit=InMemoryRateLimit(REQUESTS_PER_SECOND, clock),
        place=payloads.place,
        callers_topic="arn:aws:sns:eu-central-1:123456789012:callers",
        remove_queue=lambda: setattr(queue, "is_gone", True),
    )


@pytest.fixture
def aws_ports(aws: FakeClock) -> Ports:
    create_tables()
    sqs, s3, sns = client("sqs"), client("s3"), client("sns")
    p0, p1, p2, dead = (
        sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("p0", "p1", "p2", "dead")
    )
    for bucket in ("payloads", "results", "callers"):
        s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
    succeeded, failed = (sns.create_topic(Name=n)["TopicArn"] for n in ("succeeded", "failed"))
    client("secretsmanager").create_secret(
        Name="signing", SecretString=json.dumps({"secrets": SIGNING_SECRETS})
    )
    for model in (A_MODEL, A_CHAIN):
        client("dynamodb").put_item(
            TableName="catalog",
            Item={"model_id": {"S": model.model_id}, "model": {"S": model.model_dump_json()}},
        )
    return Ports(
        clock=aws,
        requests=DynamoRequestStore("requests", client("dynamodb"), aws),
        queue=SqsRequestQueue((p0, p1, p2), sqs, aws),
        dead_letters=SqsDeadLetterQueue(dead, sqs),
        payloads=S3PayloadStore("payloads", s3),
        results=S3ResultStore("results", s3),
        notifier=SnsNotifier(succeeded, failed, sns),
        signing_secrets=SecretsManagerSigningSecrets("signing", client("secretsmanager"), aws),
        catalog=DynamoCatalog("catalog", client("dynamodb"), aws),
        api_keys=DynamoApiKeyStore("api_keys", client("dynamodb")),
        rate_limit=DynamoRateLimit("limits", REQUESTS_PER_SECOND, client("dynamodb"), aws),
        place=_put_object,
        callers_topic=sns.create_topic(Name="callers")["TopicArn"],
        remove_queue=lambda: [sqs.delete_queue(QueueUrl=url) for url in (p0, p1, p2)],
    )


def _put_object(location: Location, body: bytes, content_type: str) -> None:
    client("s3").put_object(
        Bucket=location.bucket, Key=location.key, Body=body, ContentType=content_type
    )


@pytest.fixture(
    params=[
        pytest.param("in_memory_ports", id="in_memory"),
        pytest.param("aws_ports", id="aws", marks=pytest.mark.integration),
    ]
)
def ports(request: pytest.FixtureRequest) -> Ports:
    family: Ports = request.getfixturevalue(request.param)
    return family


_INDEXES = {
    "sweep": ("sweep_shard", "sweep_at"),
    "open": ("open_tenant", "created_at"),
    "listed": ("list_key", "created_at"),
    "caller": ("caller_key", "created_at"),
}


def create_tables() -> None:
    """Create the four tables as infra declares them."""
    keys = {
        "requests": "request_id",
        "catalog": "model_id",
        "api_keys": "prefix",
        "limits": "window",
    }
    for table, key in keys.items():
        attributes: list[Any] = [{"AttributeName": key, "AttributeType": "S"}]
        indexes: dict[str, Any] = {}
        if table == "requests":
            texts, numbers = zip(*_INDEXES.values(), strict=True)
            attributes += [{"AttributeName": name, "AttributeType": "S"} for name in texts]
            attributes += [{"AttributeName": name, "AttributeType": "N"} for name in set(numbers)]
            indexes["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": name,
                    "KeySchema": [
                        {"AttributeName": text, "KeyType": "HASH"},
                        {"AttributeName": number, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["tenant"]}
                    if name == "sweep"
                    else {"ProjectionType": "KEYS_ONLY"},
                }
                for name, (text, number) in _INDEXES.items()
            ]
        client("dynamodb").create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=attributes,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            **indexes,
        )
