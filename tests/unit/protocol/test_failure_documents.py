"""What clients of each dialect find in place of a result."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.contracts.origin import Dialect, Location
from penstock.contracts.outcome import Fault, FaultCode, ServerRefusal
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.failure_documents import (
    FailureDocument,
    ModelAnswer,
    document_of_end,
    failure_document,
)
from tests.unit.protocol.requests import a_row

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FAULT = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="The model server answered 500: boom")
ERRORS = [{"code": "MODEL_PREDICT_ERROR", "message": FAULT.message}]
JSON_ANSWER = ModelAnswer(b'{ "message": "boom" }', "application/problem+json", 422)
TEXT_ANSWER = ModelAnswer(b" boom\xff ", "text/html", 500)
HALF_ANSWER = ModelAnswer(b'{"message": "bo', "application/json", 500)


def content(document: FailureDocument) -> Any:
    assert document.content_type == "application/json"
    return json.loads(document.body)


@pytest.mark.parametrize("answer", [None, JSON_ANSWER])
def test_baseten_callers_find_the_faults(answer: ModelAnswer | None) -> None:
    row = a_row(NOW, Dialect.BASETEN)
    document = failure_document(row, FAULT, answer)
    assert content(document) == {
        "request_id": row.request_id,
        "model_id": "ocr",
        "deployment_id": "ocr-1",
        "errors": ERRORS,
    }
    assert document.http_status is None


def test_sagemaker_callers_find_the_models_own_json_byte_for_byte() -> None:
    document = failure_document(a_row(NOW), FAULT, JSON_ANSWER)
    assert document == FailureDocument(JSON_ANSWER.body, "application/problem+json", 422)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (TEXT_ANSWER, "boom\N{REPLACEMENT CHARACTER}"),
        (HALF_ANSWER, '{"message": "bo'),
        (ModelAnswer(b"", "text/plain", 500), FAULT.message),
    ],
)
def test_sagemaker_callers_find_json_whatever_the_model_answered(
    answer: ModelAnswer, message: str
) -> None:
    row = a_row(NOW)
    document = failure_document(row, FAULT, answer)
    assert content(document) == {
        "message": message,
        "errors": ERRORS,
        "request_id": row.request_id,
    }
    assert document.http_status == 500


def test_sagemaker_callers_find_json_when_no_model_answered() -> None:
    document = failure_document(a_row(NOW), FAULT)
    assert content(document)["message"] == FAULT.message
    assert document.http_status is None


@pytest.mark.parametrize("answer", [JSON_ANSWER, TEXT_ANSWER])
def test_datacrunch_callers_find_the_containers_answer(answer: ModelAnswer) -> None:
    document = failure_document(a_row(NOW, Dialect.DATACRUNCH), FAULT, answer)
    assert document == FailureDocument(answer.body, answer.content_type, answer.http_status)


def test_datacrunch_callers_find_an_error_when_no_container_answered() -> None:
    document = failure_document(a_row(NOW, Dialect.DATACRUNCH), FAULT)
    assert content(document) == {"error": FAULT.message}
    assert document.http_status is None


def test_the_document_of_a_cancelled_request_says_so() -> None:
    row = a_row(NOW, state=RequestState.CANCELED)
    assert content(document_of_end(row)) == {
        "message": "cancelled by the caller",
        "errors": [],
        "request_id": row.request_id,
    }


def test_a_row_tells_the_same_as_its_last_fault() -> None:
    row = a_row(NOW)
    ended = row.model_copy(update={"state": RequestState.EXPIRED, "faults": (FAULT,)})
    assert document_of_end(ended) == failure_document(row, FAULT)


def test_a_document_says_what_will_lie_at_a_place() -> None:
    stored = FailureDocument(b"boom", "text/plain", 500).at(Location(bucket="b", key="k"))
    assert (stored.uri, stored.content_type, stored.size_bytes) == ("s3://b/k", "text/plain", 4)
    assert stored.http_status == 500


def test_an_answer_that_is_nested_too_deep_to_be_read_is_kept_as_text() -> None:
    deep = ModelAnswer(b"[" * 50_000 + b"]" * 50_000, "application/json", 500)
    document = failure_document(a_row(NOW), FAULT, deep)
    assert content(document)["message"] == deep.body.decode()
    assert document.http_status == 500


REFUSAL = ServerRefusal.of(503, "text/plain", b"engine dead", times=7)


@pytest.mark.parametrize(
    ("dialect", "status"),
    [(Dialect.BASETEN, None), (Dialect.SAGEMAKER, 503), (Dialect.DATACRUNCH, 503)],
)
def test_who_was_refused_to_the_end_finds_what_the_server_said(
    dialect: Dialect, status: int | None
) -> None:
    failed: dict[str, Any] = {
        "state": RequestState.FAILED,
        "refusal": REFUSAL,
        "faults": (REFUSAL.fault,),
    }
    document = document_of_end(a_row(NOW, dialect, **failed))
    assert b"engine dead" in document.body
    assert document.http_status == status


def test_an_earlier_refusal_is_not_in_the_document_of_another_end() -> None:
    row = a_row(NOW, Dialect.DATACRUNCH, refusal=REFUSAL)
    assert b"engine dead" not in failure_document(row, FAULT).body


def test_a_dialect_that_only_a_newer_version_knows_has_a_document_all_the_same() -> None:
    row = AsyncRequest.model_validate(
        a_row(NOW, Dialect.BASETEN).model_dump() | {"dialect": "next"}
    )

    assert content(failure_document(row, FAULT)) == {"error": FAULT.message}
