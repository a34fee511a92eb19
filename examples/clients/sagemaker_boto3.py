# /// script
# requires-python = ">=3.11"
# dependencies = ["boto3>=1.44.5"]
# ///
"""Amazon SageMaker Asynchronous Inference with boto3: only the endpoint and the keys are new.

`penstock keys create --tenant you --sigv4` prints the pair. S3 is used with your AWS credentials,
as before; INPUT_BUCKET is one that the deployment may read.

    PENSTOCK_API_URL=... PENSTOCK_ACCESS_KEY_ID=... PENSTOCK_SECRET_ACCESS_KEY=... \
        INPUT_BUCKET=... uv run examples/clients/sagemaker_boto3.py [endpoint]
"""

import json
import os
import sys
from urllib.parse import urlparse

import boto3

ENDPOINT = sys.argv[1] if len(sys.argv) > 1 else "echo-container"
BUCKET = os.environ["INPUT_BUCKET"]

runtime = boto3.client(
    "sagemaker-runtime",
    region_name="us-east-1",
    endpoint_url=os.environ["PENSTOCK_API_URL"],  # new
    aws_access_key_id=os.environ["PENSTOCK_ACCESS_KEY_ID"],  # new
    aws_secret_access_key=os.environ["PENSTOCK_SECRET_ACCESS_KEY"],  # new
)
s3 = boto3.client("s3", region_name="us-east-1")

s3.put_object(
    Bucket=BUCKET, Key="in.json", Body=b'{"inputs": "from S3"}', ContentType="application/json"
)
from_s3 = runtime.invoke_endpoint_async(
    EndpointName=ENDPOINT, InputLocation=f"s3://{BUCKET}/in.json", InferenceId="example-1"
)
inline = runtime.invoke_endpoint_async(
    EndpointName=ENDPOINT, Body=b'{"inputs": "inline"}', ContentType="application/json"
)
for answer in (from_s3, inline):
    output = urlparse(answer["OutputLocation"])
    place = {"Bucket": output.netloc, "Key": output.path.lstrip("/")}
    s3.get_waiter("object_exists").wait(**place, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    print(answer["InferenceId"], json.load(s3.get_object(**place)["Body"]))
