"""What only AWS can do: broken messages, remembered answers, signed URLs."""

import logging

import pytest

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.directory import DynamoCatalog
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.message import QueueMessage
from penstock.contracts.request import RequestId, Tenant
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import A_MODEL, REQUEST_ID, a_request

pytestmark = pytest.mark.integration


def test_an_unreadable_message_is_logged_without_its_body_and_skipped(
    aws_ports: Ports, caplog: pytest.LogCaptureFixture
) -> None:
    url = client("sqs").get_queue_url(QueueName="p0")["QueueUrl"]
    client("sqs").send_message(QueueUrl=url, MessageBody="private words")
    readable = QueueMessage(request_id=REQUEST_ID, text="{}")
    aws_ports.queue.send(readable, priority=0, tenant="acme")

    with caplog.at_level(logging.WARNING):
        received = aws_ports.queue.receive(
            priority=0, max_messages=10, wait_seconds=0, visible_after_seconds=30
        )
    assert [delivery.message for delivery in received] == [readable]
    (record,) = caplog.records
    assert record.message == "queue message is unreadable"
    assert "private" not in str(vars(record))
    assert aws_ports.queue.depth().in_progress == 2  # it stays, to become a dead letter


def test_a_model_is_remembered_for_a_minute_and_its_absence_for_five_seconds(
    aws_ports: Ports,
) -> None:
    dynamodb = client("dynamodb")
    catalog = DynamoCatalog("catalog", dynamodb, aws_ports.clock)
    assert catalog.find_model("ocr") == A_MODEL
    assert catalog.find_model("new") is None
    new = A_MODEL.model_copy(update={"model_id": "new"})
    dynamodb.put_item(
        TableName="catalog",
        Item={"model_id": {"S": "new"}, "model": {"S": new.model_dump_json()}},
    )
    dynamodb.delete_item(TableName="catalog", Key={"model_id": {"S": "ocr"}})

    aws_ports.clock.advance(4)
    assert catalog.find_model("new") is None
    aws_ports.clock.advance(1)
    assert catalog.find_model("new") == new
    aws_ports.clock.advance(54)
    assert catalog.find_model("ocr") == A_MODEL
    aws_ports.clock.advance(1)
    assert catalog.find_model("ocr") is None


def test_all_pages_of_keys_are_listed(aws_ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moto.dynamodb.models.table.RESULT_SIZE_LIMIT", 400)
    keys = [ApiKey.issue(Tenant("acme"), aws_ports.clock())[0] for _ in range(10)]
    for key in keys:
        aws_ports.api_keys.put(key)
    assert "LastEvaluatedKey" in client("dynamodb").scan(TableName="api_keys")
    assert {key.prefix for key in aws_ports.api_keys.all()} == {key.prefix for key in keys}


def test_a_result_url_is_signed_and_says_what_it_serves(aws_ports: Ports) -> None:
    stored = aws_ports.results.put_result(REQUEST_ID, b"\x89PNG", "image/png")
    url = aws_ports.results.url(stored, 900)
    assert url.startswith("https://results.s3.eu-central-1.amazonaws.com/results/")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    assert "X-Amz-Expires=900" in url
    assert "response-content-type=image%2Fpng" in url


def test_all_pages_of_models_are_listed(aws_ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moto.dynamodb.models.table.RESULT_SIZE_LIMIT", 700)
    for number in range(5):
        model = A_MODEL.model_copy(update={"model_id": f"m{number}"})
        item = {"model_id": {"S": model.model_id}, "model": {"S": model.model_dump_json()}}
        client("dynamodb").put_item(TableName="catalog", Item=item)

    assert "LastEvaluatedKey" in client("dynamodb").scan(TableName="catalog")
    models = aws_ports.catalog.all_models()
    assert [model.model_id for model in models] == ["m0", "m1", "m2", "m3", "m4", "ocr"]


def test_all_pages_of_open_requests_are_counted(
    aws_ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        request_id = RequestId(f"{number:032x}")
        aws_ports.requests.accept(a_request(aws_ports.clock(), request_id=request_id))
    monkeypatch.setattr("moto.dynamodb.models.table.RESULT_SIZE_LIMIT", 1_000)
    assert aws_ports.requests.count_open(Tenant("acme"), 100) == 7
