"""The four entry points, wired as Lambda wires them, over AWS in this process."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from penstock.adapters.aws.clients import client, forget_clients
from penstock.adapters.aws.dead_letters import SqsDeadLetterQueue
from penstock.adapters.aws.directory import DynamoApiKeyStore
from penstock.adapters.aws.objects import S3ResultStore
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.adapters.aws.webhooks.webhook_queue import SqsWebhookQueue
from penstock.contracts.directory.access_key import issue_access_key
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.environments import (
    AuthorizerEnvironment,
    IntakeEnvironment,
    StatusEnvironment,
    WebhooksEnvironment,
)
from penstock.contracts.http.signature import is_signed, signed_at
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Succeeded
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.contracts.request_id import as_uuid
from tests.aws_variables import set_aws_variables
from tests.integration.adapters.conftest import create_tables
from tests.integration.functions.receiver import Receiver
from tests.unit.dialects.sagemaker.signing import signed_headers
from tests.unit.functions.events import authorizer_event, proxy_event, queue_event

pytestmark = pytest.mark.integration

SUBMIT = "/models/ocr/production/async_predict"
SIGNED_WITH = ["whsec_test"]
SIGNING, MASTER = "signing", "master"
MASTER_SECRET = "m" * 43
FUNCTIONS = ("authorizer", "intake", "status", "webhooks")

Handle = Callable[[dict[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of itself."""

    function_name: str
    memory_limit_in_mb: int = 256
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:eu-central-1:123456789012:function:{self.function_name}"


@dataclass(frozen=True)
class Stack:
    """The functions, and the resources they share with workers."""

    handles: dict[str, Handle]
    requests: DynamoRequestStore
    results: S3ResultStore
    queue: SqsRequestQueue
    webhook_queue_url: str
    key: str

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        return self.handles[function](event, Context(function))

    def call(self, function: str, *event: Any, **parts: Any) -> tuple[int, dict[str, Any]]:
        answer = self.invoke(function, proxy_event(*event, **parts))
        return answer["statusCode"], json.loads(answer["body"])

    def work(self, request_id: str, result: bytes) -> AsyncRequest:
        """Do what a dispatcher does."""
        claimed = self.requests.claim(RequestId(request_id), "worker", 30)
        stored = self.results.put_result(claimed.request_id, result, "application/json")
        return self.requests.finish(claimed, Succeeded(result=stored))


def _resources() -> tuple[SqsRequestQueue, str, str]:
    """Create tables, buckets, queues, a secret and a key; return what tests look at."""
    create_tables()
    sqs = client("sqs")
    p0, p1, p2, webhooks = (
        sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("p0", "p1", "p2", "webhooks")
    )
    sqs.create_queue(QueueName="dead-webhooks")
    for bucket in ("payloads", "results"):
        client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
    client("secretsmanager").create_secret(
        Name=SIGNING, SecretString=json.dumps({"secrets": SIGNED_WITH})
    )
    client("secretsmanager").create_secret(Name=MASTER, SecretString=MASTER_SECRET)
    deployment = Deployment(
        model_id="ocr",
        deployment_id="ocr-1",
        queue_urls=(p0, p1, p2),
        dead_letter_queue_url="dead",
    )
    model = Model(
        model_id="ocr", environments={"production": "ocr-1"}, deployments={"ocr-1": deployment}
    )
    client("dynamodb").put_item(
        TableName="catalog",
        Item={"model_id": {"S": "ocr"}, "model": {"S": model.model_dump_json()}},
    )
    key, text = ApiKey.issue(Tenant("acme"), datetime.now(UTC))
    DynamoApiKeyStore("api_keys", client("dynamodb")).put(key)
    return SqsRequestQueue((p0, p1, p2), sqs), webhooks, text


def _variables(webhook_queue_url: str) -> dict[str, str]:
    shared = {"catalog_table": "catalog", "requests_table": "requests"}
    return {
        **AuthorizerEnvironment.variables(api_keys_table="api_keys"),
        **IntakeEnvironment.variables(
            **shared,
            payloads_bucket="payloads",
            results_bucket="results",
            api_keys_table="api_keys",
            signing_master_secret_id=MASTER,
            allow_local_webhooks="true",
        ),
        **StatusEnvironment.variables(**shared, results_bucket="results"),
        **WebhooksEnvironment.variables(
            requests_table="requests",
            results_bucket="results",
            webhook_queue_url=webhook_queue_url,
            webhook_dead_letter_queue_url=client("sqs").get_queue_url(QueueName="dead-webhooks")[
                "QueueUrl"
            ],
            signing_secret_id=SIGNING,
            allow_local_webhooks="true",
        ),
    }


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    set_aws_variables(monkeypatch)
    modules = [f"functions.{name}.handler" for name in FUNCTIONS]
    with mock_aws():
        forget_clients()
        queue, webhook_queue_url, key = _resources()
        for variable, value in _variables(webhook_queue_url).items():
            monkeypatch.setenv(variable, value)
        handlers = [importlib.import_module(module) for module in modules]
        yield Stack(
            handles={name: each.handle for name, each in zip(FUNCTIONS, handlers, strict=True)},
            requests=DynamoRequestStore("requests", client("dynamodb")),
            results=S3ResultStore("results", client("s3")),
            queue=queue,
            webhook_queue_url=webhook_queue_url,
            key=key,
        )
    for module in modules:
        sys.modules.pop(module)
    forget_clients()


def test_a_key_is_let_in_and_a_wrong_one_is_not(stack: Stack) -> None:
    answer = stack.invoke("authorizer", authorizer_event(Authorization=f"Bearer {stack.key}"))
    assert answer["context"]["tenant"] == "acme"
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        stack.invoke("authorizer", authorizer_event(Authorization=f"Bearer {stack.key}x"))


def test_a_request_goes_from_submission_to_signed_webhook(stack: Stack, receiver: Receiver) -> None:
    body = json.dumps({"model_input": [1], "webhook_endpoint": f"{receiver.url}/200"})
    status, accepted = stack.call("intake", "POST", SUBMIT, body)
    assert status == 201
    request = f"/models/ocr/async_request/{accepted['request_id']}"
    (delivery,) = stack.queue.receive(
        priority=0, max_messages=10, wait_seconds=0, visible_after_seconds=30
    )
    assert delivery.message.inline_payload == b"[1]"
    assert stack.call("status", "GET", request)[1]["status"] == "QUEUED"

    row = stack.work(accepted["request_id"], b'{"text": "\xc3\xa9"}')
    event = queue_event(Notification.of(row))
    assert stack.invoke("webhooks", event) == {"batchItemFailures": []}

    ((sent,), (headers,)) = receiver.bodies, receiver.headers
    assert json.loads(sent)["data"] == {"text": "é"}
    assert is_signed(sent, headers["X-BASETEN-SIGNATURE"], SIGNED_WITH)
    assert signed_at(sent, headers["X-PENSTOCK-SIGNATURE"], SIGNED_WITH)
    shown = stack.call("status", "GET", request)[1]
    assert (shown["status"], shown["webhook_status"]) == ("SUCCEEDED", "SUCCEEDED")
    assert stack.call("status", "GET", f"{request}/result") == (200, {"text": "é"})


def test_an_invocation_is_known_by_its_signature(stack: Stack) -> None:
    now = datetime.now(UTC)
    row, secret = issue_access_key(Tenant("acme"), now, MASTER_SECRET.encode())
    DynamoApiKeyStore("api_keys", client("dynamodb")).put(row)
    path = "/endpoints/ocr/async-invocations"
    headers = signed_headers(
        f"https://api.example.com{path}", b"[1]", now=now, access_key_id=row.prefix, secret=secret
    )

    event = proxy_event("POST", path, b"[1]", headers=headers) | {"headers": headers}
    answer = stack.invoke("intake", event)

    assert answer["statusCode"] == 202
    (delivery,) = stack.queue.receive(
        priority=0, max_messages=10, wait_seconds=0, visible_after_seconds=30
    )
    assert delivery.message.inline_payload == b"[1]"
    (request_id,) = answer["multiValueHeaders"]["x-amzn-RequestId"]
    assert json.loads(answer["body"]) == {"InferenceId": as_uuid(request_id)}
    status = stack.call("status", "GET", f"/async_request/{request_id}")[1]
    assert status["status"] == "QUEUED"


def test_a_large_result_is_a_redirect_that_can_be_followed(stack: Stack) -> None:
    _, accepted = stack.call("intake", "POST", SUBMIT, '{"model_input": 1}')
    row = stack.work(accepted["request_id"], b'"' + b"x" * 300_000 + b'"')
    answer = stack.invoke("status", proxy_event("GET", f"/async_request/{row.request_id}/result"))
    assert answer["statusCode"] == 303
    assert f"results/{row.request_id}" in answer["multiValueHeaders"]["Location"][0]


def test_a_payload_too_large_for_a_message_waits_in_s3(stack: Stack) -> None:
    body = json.dumps({"model_input": "x" * 220_000})
    _, accepted = stack.call("intake", "POST", SUBMIT, body)
    (only,) = client("s3").list_objects_v2(
        Bucket="payloads", Prefix=f"payloads/{accepted['request_id']}/"
    )["Contents"]
    stored = client("s3").get_object(Bucket="payloads", Key=only["Key"])
    assert stored["Body"].read() == json.dumps("x" * 220_000).encode()


def test_a_waiting_request_is_counted_and_canceled(stack: Stack) -> None:
    _, accepted = stack.call("intake", "POST", SUBMIT, '{"model_input": 1}')
    counts = stack.call("status", "GET", "/models/ocr/production/async_queue_status")[1]
    assert counts["num_queued_requests"] == 1
    path = f"/async_request/{accepted['request_id']}"
    assert stack.call("status", "DELETE", path)[1]["canceled"] is True


def test_refusals_need_no_service(stack: Stack) -> None:
    assert stack.call("intake", "POST", SUBMIT, "{}")[0] == 400
    assert stack.call("intake", "POST", SUBMIT, "x" * 262_145)[0] == 413
    assert stack.call("intake", "POST", "/nowhere", "{}")[0] == 404
    assert stack.call("status", "GET", "/async_request/nope", tenant="other")[0] == 404


def received(queue_url: str, body: str) -> str:
    """Send a message and return the receipt that Lambda would have for it."""
    sqs = client("sqs")
    sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    (message,) = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    return message["ReceiptHandle"]


@pytest.fixture
def delays(stack: Stack) -> list[int]:
    """Return the timeouts that SQS is asked for, as they are asked for."""
    asked: list[int] = []

    def note(params: dict[str, Any], **_: object) -> None:
        assert params["QueueUrl"] == stack.webhook_queue_url
        asked.append(params["VisibilityTimeout"])

    event = "provide-client-params.sqs.ChangeMessageVisibility"
    client("sqs").meta.events.register(event, note)
    return asked


def test_a_webhook_that_is_not_taken_stays_and_is_delayed(
    stack: Stack, receiver: Receiver, delays: list[int]
) -> None:
    body = json.dumps({"model_input": 1, "webhook_endpoint": f"{receiver.url}/500"})
    _, accepted = stack.call("intake", "POST", SUBMIT, body)
    event = queue_event(Notification.of(stack.work(accepted["request_id"], b"1")))
    (record,) = event["Records"]
    record["receiptHandle"] = received(stack.webhook_queue_url, record["body"])

    assert stack.invoke("webhooks", event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}

    (seconds,) = delays
    assert 0 <= seconds <= 40
    status = stack.call("status", "GET", f"/async_request/{accepted['request_id']}")[1]
    assert status["webhook_status"] == "PENDING"


def test_a_webhook_that_is_given_up_becomes_a_dead_letter_with_its_reason(
    stack: Stack, receiver: Receiver
) -> None:
    body = json.dumps({"model_input": 1, "webhook_endpoint": f"{receiver.url}/410"})
    _, accepted = stack.call("intake", "POST", SUBMIT, body)
    notification = Notification.of(stack.work(accepted["request_id"], b"1"))

    assert stack.invoke("webhooks", queue_event(notification)) == {"batchItemFailures": []}

    url = client("sqs").get_queue_url(QueueName="dead-webhooks")["QueueUrl"]
    (letter,) = SqsDeadLetterQueue(url, client("sqs")).look(10, 30)
    assert letter.body == notification.model_dump_json()
    assert letter.request_id == notification.request_id
    assert letter.reason == "gone: the receiver answered 410: it wants no webhook any more"
    status = stack.call("status", "GET", f"/async_request/{accepted['request_id']}")[1]
    assert (status["status"], status["webhook_status"]) == ("WEBHOOK_FAILED", "FAILED")


@pytest.mark.parametrize(("wanted", "asked"), [(0, 0), (0.2, 1), (20, 20), (43_200, 43_075)])
def test_a_message_is_delayed_for_whole_seconds_within_the_limit_of_sqs(
    stack: Stack, delays: list[int], wanted: float, asked: int
) -> None:
    url = stack.webhook_queue_url
    SqsWebhookQueue(url, client("sqs")).hide(received(url, "{}"), wanted)
    assert delays == [asked]
