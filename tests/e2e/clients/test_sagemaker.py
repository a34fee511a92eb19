"""The numbered checks of a server compatible with SageMaker Asynchronous Inference."""

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.e2e.clients.conftest import (
    ENDPOINT,
    ERROR_TOPIC,
    INPUT_BUCKET,
    SUCCESS_TOPIC,
    AccessKey,
    Clients,
)
from tests.e2e.stack import wait_until

pytestmark = pytest.mark.e2e

LOCATION = f"s3://{INPUT_BUCKET}/in.json"


@pytest.fixture(autouse=True, scope="module")
def _input(clients: Clients) -> None:
    clients.stack.aws.s3.put_object(
        Bucket=INPUT_BUCKET,
        Key="in.json",
        Body=b'{"inputs": "probe"}',
        ContentType="application/json",
    )


def _wait(clients: Clients, uri: str, seconds: float = 90) -> tuple[bytes, str]:
    return wait_until(lambda: clients.object_at(uri), seconds, uri)


@pytest.mark.spec("sagemaker", 1)
def test_a_signed_call_is_answered_202_with_its_id_and_places(clients: Clients) -> None:
    answer = clients.runtime().invoke_endpoint_async(
        EndpointName=ENDPOINT, InputLocation=LOCATION, InferenceId="abc-1"
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["ResponseMetadata"]["RequestId"]
    assert answer["InferenceId"] == "abc-1"
    assert answer["OutputLocation"].startswith("s3://")
    assert answer["FailureLocation"].startswith("s3://")


@pytest.mark.spec("sagemaker", 2)
def test_the_models_bytes_and_type_appear_at_the_promised_place(clients: Clients) -> None:
    answer = clients.runtime().invoke_endpoint_async(EndpointName=ENDPOINT, InputLocation=LOCATION)
    body, content_type = _wait(clients, answer["OutputLocation"])
    assert json.loads(body) == {"inputs": "probe"}
    assert content_type == "application/json"
    assert clients.object_at(answer["FailureLocation"]) is None


@pytest.mark.spec("sagemaker", 3)
def test_an_inline_body_and_a_chosen_name_are_honoured(clients: Clients) -> None:
    answer = clients.runtime().invoke_endpoint_async(
        EndpointName=ENDPOINT,
        Body=b'{"inputs": "probe"}'.ljust(128_000),
        ContentType="application/json",
        Filename="r-1.json",
        S3OutputPathExtension="a/b",
    )
    assert answer["OutputLocation"].endswith("/a/b/r-1.json")
    body, _ = _wait(clients, answer["OutputLocation"])
    assert len(body) == 128_000


@pytest.mark.spec("sagemaker", 4)
@pytest.mark.parametrize(
    "wrong",
    [
        {"RequestTTLSeconds": 59},
        {"RequestTTLSeconds": 21_601},
        {"InvocationTimeoutSeconds": 0},
        {"InvocationTimeoutSeconds": 3_601},
        {"InputLocation": "ftp://b/k"},
        {"InferenceId": "x" * 65},
        {"Body": b"x"},
        {"InputLocation": None},
        {"InputLocation": None, "Body": b"x" * 128_001},
        {"Filename": "a.b.c"},
        {"EndpointName": "no-such-endpoint"},
    ],
    ids="+".join,
)
def test_what_the_api_forbids_is_a_validation_error(
    clients: Clients, wrong: dict[str, Any]
) -> None:
    runtime = clients.runtime(config=Config(parameter_validation=False))
    call = {"EndpointName": ENDPOINT, "InputLocation": LOCATION, **wrong}
    with pytest.raises(runtime.exceptions.ValidationError) as refused:
        runtime.invoke_endpoint_async(**{k: v for k, v in call.items() if v is not None})
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["Error"]["Message"]


@pytest.mark.spec("sagemaker", 5)
def test_a_wrong_secret_and_an_unknown_key_are_refused(clients: Clients) -> None:
    known = clients.access_key
    for key, code in (
        (AccessKey(known.access_key_id, "wrong"), "InvalidSignatureException"),
        (AccessKey("AKIAUNKNOWNUNKNOWN00", "x"), "UnrecognizedClientException"),
    ):
        with pytest.raises(ClientError) as refused:
            clients.runtime(key).invoke_endpoint_async(
                EndpointName=ENDPOINT, InputLocation=LOCATION
            )
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.spec("sagemaker", 7)
@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"Body": b"{}", "CustomAttributes": "status=400"}, "400"),
        ({"Body": b"{}", "CustomAttributes": "status=500"}, "500"),
        ({"InputLocation": f"s3://{INPUT_BUCKET}/absent.json"}, "absent.json"),
        (
            {"Body": b"{}", "CustomAttributes": "sleep=30", "InvocationTimeoutSeconds": 1},
            "1 s",
        ),
    ],
    ids=["model-400", "model-500", "download", "timeout"],
)
def test_a_failure_is_exactly_one_json_object_under_the_failure_path(
    clients: Clients, call: dict[str, Any], said: str
) -> None:
    answer = clients.runtime().invoke_endpoint_async(
        EndpointName=ENDPOINT, ContentType="application/json", **call
    )
    body, content_type = _wait(clients, answer["FailureLocation"])
    assert content_type.startswith("application/json")
    assert said in json.dumps(json.loads(body))
    assert clients.object_at(answer["OutputLocation"]) is None


@pytest.mark.spec("sagemaker", 8)
def test_one_notification_comes_for_each_end_with_the_recorded_fields(clients: Clients) -> None:
    aws = clients.stack.aws
    url = aws.sqs.create_queue(QueueName="invocations")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    for topic in (SUCCESS_TOPIC, ERROR_TOPIC):
        aws.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    runtime = clients.runtime()
    good = runtime.invoke_endpoint_async(
        EndpointName=ENDPOINT,
        InputLocation=LOCATION,
        ContentType="application/json",
        Accept="application/json",
        CustomAttributes="trace=1",
        InferenceId="notified-good",
    )
    bad = runtime.invoke_endpoint_async(
        EndpointName=ENDPOINT,
        Body=b"{}",
        ContentType="application/json",
        CustomAttributes="status=400",
        InferenceId="notified-bad",
    )
    seen: dict[str, dict[str, Any]] = {}

    def both() -> bool:
        got = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in got.get("Messages", []):
            said = json.loads(json.loads(message["Body"])["Message"])
            seen[said["inferenceId"]] = said
        return {"notified-good", "notified-bad"} <= seen.keys()

    wait_until(both, 90, "both notifications")
    completed, failed = seen["notified-good"], seen["notified-bad"]
    assert completed["invocationStatus"] == "Completed"
    assert completed["requestParameters"] == {
        "accept": "application/json",
        "contentType": "application/json",
        "customAttributes": "trace=1",
        "endpointName": ENDPOINT,
        "inputLocation": LOCATION,
    }
    assert completed["responseParameters"] == {
        "contentType": "application/json",
        "outputLocation": good["OutputLocation"],
    }
    assert completed["responseBody"]["encoding"] == "BASE64"
    assert failed["invocationStatus"] == "Failed"
    assert "(400)" in failed["failureReason"]
    assert failed["responseParameters"] == {"failureLocation": bad["FailureLocation"]}
    for said in (completed, failed):
        assert said["eventSource"] == "aws:sagemaker"
        assert said["eventName"] == "InferenceResult"
        assert said["eventVersion"] == "1.0"
        assert said["awsRegion"] == "us-east-1"
