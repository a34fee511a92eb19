"""Repeats that boto3 makes by itself: check 9 of what a compatible server must pass.

Mode `legacy` with five attempts is what botocore did by default before 1.44, `standard` with
three is what it does since.
"""

from typing import Any

import pytest

from penstock.contracts.errors import UnavailableError
from tests.integration.sagemaker.conftest import Platform
from tests.unit.functions.world import ACME

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize(
        "retries",
        [
            {"mode": "standard", "total_max_attempts": 3},
            {"mode": "legacy", "total_max_attempts": 5},
        ],
        ids=lambda retries: retries["mode"],
    ),
]

INPUT = {"EndpointName": "ocr", "InputLocation": "s3://inputs/in.json"}


def of_one_invocation(platform: Platform) -> int:
    """Return how many attempts were made, all under one id."""
    ids = {attempt["amz-sdk-invocation-id"] for attempt in platform.bridge.attempts}
    assert len(ids) == 1
    return len(platform.bridge.attempts)


@pytest.mark.spec("sagemaker", 9)
def test_a_call_whose_answer_was_lost_is_one_request(
    platform: Platform, retries: dict[str, Any]
) -> None:
    platform.bridge.answers_to_lose = 1

    answer = platform.client(retries=retries).invoke_endpoint_async(**INPUT)

    assert of_one_invocation(platform) == 2
    assert platform.world.requests.count_open(ACME, limit=10) == 1
    row = platform.world.row(answer["ResponseMetadata"]["RequestId"])
    assert {message.request_id for message in platform.waiting} == {row.request_id}


def test_a_call_that_could_not_be_queued_is_queued_by_its_repeat(
    platform: Platform, retries: dict[str, Any]
) -> None:
    platform.world.faults.fail("queue.send", UnavailableError("send", "throttled"), times=2)

    answer = platform.client(retries=retries).invoke_endpoint_async(**INPUT)

    assert of_one_invocation(platform) == 3
    (message,) = platform.waiting
    assert message.request_id == answer["ResponseMetadata"]["RequestId"]


@pytest.mark.spec("sagemaker", 9)
def test_a_repeat_while_the_first_runs_starts_nothing(
    platform: Platform, retries: dict[str, Any]
) -> None:
    client = platform.client(retries=retries)
    client.meta.events.register("before-send.sagemaker-runtime.*", _name_the_invocation)
    first = client.invoke_endpoint_async(**INPUT)["ResponseMetadata"]["RequestId"]
    (message,) = platform.waiting
    platform.world.requests.claim(message.request_id, "worker", 30)

    again = client.invoke_endpoint_async(**INPUT)["ResponseMetadata"]["RequestId"]

    assert again == first
    assert platform.world.row(first).attempt == 1
    assert len(platform.waiting) == 1


def _name_the_invocation(request: Any, **_: object) -> None:
    request.headers["amz-sdk-invocation-id"] = "the-same"


def test_two_calls_are_two_requests(platform: Platform, retries: dict[str, Any]) -> None:
    client = platform.client(retries=retries)
    ids = {client.invoke_endpoint_async(**INPUT)["InferenceId"] for _ in range(2)}
    assert len(ids) == 2
    assert len(platform.waiting) == 2
