# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["sagemaker<3"]
# ///
"""What the SageMaker SDK's AsyncPredictor makes of slow, failing and refused calls, as JSON."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError
from sagemaker.async_inference import WaiterConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.exceptions import AsyncInferenceError
from sagemaker.predictor import Predictor
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.serializers import JSONSerializer
from sagemaker.session import Session

ENDPOINT = sys.argv[1]
PATIENT = WaiterConfig(max_attempts=60, delay=1)


def predictor(endpoint: str, secret: str = os.environ["PENSTOCK_SECRET_ACCESS_KEY"]) -> Any:
    """Return the SDK's predictor, as its users build it."""
    session = Session(
        boto3.Session(region_name="us-east-1"),
        default_bucket=os.environ["INPUT_BUCKET"],
        sagemaker_runtime_client=boto3.client(
            "sagemaker-runtime",
            region_name="us-east-1",
            endpoint_url=os.environ["PENSTOCK_API_URL"],
            aws_access_key_id=os.environ["PENSTOCK_ACCESS_KEY_ID"],
            aws_secret_access_key=secret,
        ),
    )
    form = {"serializer": JSONSerializer(), "deserializer": JSONDeserializer()}
    return AsyncPredictor(Predictor(endpoint, sagemaker_session=session, **form), name="tested")


def outcome(ask: Callable[[], Any]) -> dict[str, Any]:
    """Return what was heard, or the class of the error and its text."""
    try:
        return {"heard": ask()}
    except (AsyncInferenceError, ClientError) as error:
        return {"error": type(error).__name__, "text": str(error)}


good = predictor(ENDPOINT)
call = {"data": {"inputs": "probe"}}
slow = good.predict_async(**call, initial_args={"CustomAttributes": "sleep=3"})
outcomes = {"too early": outcome(slow.get_result)}
failing = good.predict_async(**call, initial_args={"CustomAttributes": "status=400"})
outcomes |= {
    "waited for": outcome(lambda: slow.get_result(PATIENT)),
    "asked again": outcome(slow.get_result),
    "failed": outcome(lambda: failing.get_result(PATIENT)),
    "in one call": outcome(lambda: good.predict(**call, waiter_config=PATIENT)),
    "unknown endpoint": outcome(lambda: predictor("nobody").predict_async(**call)),
    "wrong secret": outcome(lambda: predictor(ENDPOINT, "wrong").predict_async(**call)),
}
print(json.dumps(outcomes), flush=True)  # noqa: T201 - this is what it is run for
os._exit(0)  # the SDK's other waiters would keep polling for objects that never come
