# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["sagemaker<3"]
# ///
"""The SageMaker Python SDK's AsyncPredictor: only the runtime client of its session is new.

Variables as in `sagemaker_boto3.py`.
"""

import os
import sys

import boto3
from sagemaker.async_inference import WaiterConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.predictor import Predictor
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.serializers import JSONSerializer
from sagemaker.session import Session

ENDPOINT = sys.argv[1] if len(sys.argv) > 1 else "echo-container"

session = Session(
    boto3.Session(region_name="us-east-1"),
    default_bucket=os.environ["INPUT_BUCKET"],
    sagemaker_runtime_client=boto3.client(  # new
        "sagemaker-runtime",
        region_name="us-east-1",
        endpoint_url=os.environ["PENSTOCK_API_URL"],
        aws_access_key_id=os.environ["PENSTOCK_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["PENSTOCK_SECRET_ACCESS_KEY"],
    ),
)
predictor = AsyncPredictor(
    Predictor(
        ENDPOINT,
        sagemaker_session=session,
        serializer=JSONSerializer(),
        deserializer=JSONDeserializer(),
    ),
    name="example",
)
response = predictor.predict_async(data={"inputs": "hello"}, inference_id="example-2")
print(response.get_result(WaiterConfig(max_attempts=120, delay=1)), flush=True)
os._exit(0)  # the SDK's other waiter would keep polling for an object that never comes
