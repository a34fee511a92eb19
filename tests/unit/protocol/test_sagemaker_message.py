"""What SageMaker's subscribers parse."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock.contracts.outcome import Fault, FaultCode, StoredObject
from penstock.contracts.queue_text import travels
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.sagemaker_message import SageMakerMessage
from tests.unit.protocol.requests import ERROR_TOPIC, INVOCATION, SUCCESS_TOPIC, a_row

RECEIVED = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC)
RESULT = StoredObject(bucket="out", key="p/x.out", content_type="text/csv", size_bytes=2)
FAILURE = StoredObject(bucket="out", key="f/x-error.out", size_bytes=9)


INVALID = FaultCode.MODEL_INVALID_INPUT


def ended(state: RequestState, *faults: Fault) -> AsyncRequest:
    ended_at = RECEIVED + timedelta(minutes=9, seconds=30)
    return a_row(RECEIVED, state=state, status_at=ended_at, faults=faults)


def text_of(
    request: AsyncRequest, stored: StoredObject, body: bytes | None = None, **invocation: Any
) -> str:
    changed = INVOCATION.model_copy(update=invocation)
    return SageMakerMessage.of(request, changed, stored, body, SUCCESS_TOPIC).encoded()


def test_a_reason_with_characters_that_queues_refuse_reaches_subscribed_queues() -> None:
    text = text_of(
        ended(RequestState.FAILED, Fault(code=INVALID, message="a\ufffeb\uffff")), FAILURE
    )

    assert travels(text)
    assert json.loads(text)["failureReason"] == "ClientError: a\ufffeb\uffff"


@pytest.mark.spec("sagemaker", 8)
def test_a_completed_message_has_every_key_in_the_recorded_order() -> None:
    text = text_of(
        ended(RequestState.SUCCEEDED),
        RESULT,
        b"42",
        accept="application/json",
        content_type="image/png",
        custom_attributes="k=v",
        input_location="s3://in/a.png",
    )
    assert text == (
        '{"awsRegion":"eu-central-1","eventTime":"2026-01-02T03:13:35.678Z",'
        '"receivedTime":"2026-01-02T03:04:05.678Z","invocationStatus":"Completed",'
        '"requestParameters":{"accept":"application/json","contentType":"image/png",'
        '"customAttributes":"k=v","endpointName":"ocr","inputLocation":"s3://in/a.png"},'
        '"responseParameters":{"contentType":"text/csv","outputLocation":"s3://out/p/x.out"},'
        '"responseBody":{"content":"NDI=","message":"The same lies at s3://out/p/x.out.",'
        '"encoding":"BASE64"},'
        '"inferenceId":"id-1","eventVersion":"1.0","eventSource":"aws:sagemaker",'
        '"eventName":"InferenceResult"}'
    )


@pytest.mark.spec("sagemaker", 8)
def test_what_the_caller_left_out_is_absent() -> None:
    message = json.loads(text_of(ended(RequestState.SUCCEEDED), RESULT))
    assert message["requestParameters"] == {"endpointName": "ocr"}
    assert "responseBody" not in message
    assert "failureReason" not in message


@pytest.mark.spec("sagemaker", 8)
def test_a_failed_message_names_reason_and_failure_document() -> None:
    fault = Fault(code=FaultCode.MODEL_INVALID_INPUT, message="bad")
    failure = FAILURE.model_copy(update={"http_status": 400})
    message = json.loads(text_of(ended(RequestState.FAILED, fault), failure))

    assert message["invocationStatus"] == "Failed"
    assert list(message)[4] == "failureReason"
    assert message["responseParameters"] == {"failureLocation": FAILURE.uri}


@pytest.mark.parametrize(
    ("status", "words"), [(400, "client error (400)"), (503, "server error (503)")]
)
def test_what_a_model_answered_is_the_reason(status: int, words: str) -> None:
    fault = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="bad")
    failure = FAILURE.model_copy(update={"http_status": status})
    message = json.loads(text_of(ended(RequestState.FAILED, fault), failure))
    assert message["failureReason"] == (
        f"ClientError: Received {words} from model. See {FAILURE.uri} for more information."
    )


@pytest.mark.parametrize("code", [FaultCode.MODEL_PREDICT_TIMEOUT, FaultCode.MODEL_UNAVAILABLE])
def test_a_model_that_did_not_answer_is_a_server_error_without_status(code: FaultCode) -> None:
    fault = Fault(code=code, message="no answer")
    message = json.loads(text_of(ended(RequestState.FAILED, fault), FAILURE))
    assert "Received server error (0) from model." in message["failureReason"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (
            ended(
                RequestState.EXPIRED, Fault(code=FaultCode.MODEL_UNAVAILABLE, message="too late")
            ),
            "too late",
        ),
        (
            ended(
                RequestState.FAILED,
                Fault(code=FaultCode.MODEL_INVALID_INPUT, message="The input cannot be read"),
            ),
            "The input cannot be read",
        ),
        (ended(RequestState.CANCELED), "cancelled by the caller"),
    ],
)
def test_what_never_reached_a_model_says_why(request_: AsyncRequest, reason: str) -> None:
    message = json.loads(text_of(request_, FAILURE))
    assert message["failureReason"] == f"ClientError: {reason}"


def test_the_region_is_the_topics() -> None:
    request = ended(RequestState.SUCCEEDED)
    topic = ERROR_TOPIC.replace("eu-central-1", "us-west-2")
    message = SageMakerMessage.of(request, INVOCATION, RESULT, None, topic)
    assert message.aws_region == "us-west-2"
