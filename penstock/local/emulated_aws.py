"""boto3 clients of an emulated AWS."""

import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionCodeTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
ACCOUNT_ID = "000000000000"
"""MiniStack's account for access keys that are no account number themselves."""

_CODE_BUCKET = "penstock-local-code"


class EmulatedAws:
    """One client per service, made when first used."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        self.endpoint_url = endpoint_url
        self.region = region
        self._session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=region,
        )
        # A proxy of the user's is not for loopback.
        config = Config(retries={"max_attempts": 2}, read_timeout=30, proxies={})
        self._options: dict[str, Any] = {"endpoint_url": endpoint_url, "config": config}
        self._kept: set[Path] = set()
        self._keeping = threading.Lock()

    def make_clients(self) -> None:
        """Make every client now, in this thread; afterwards any may be used in any thread."""
        for name, attribute in vars(type(self)).items():
            if isinstance(attribute, cached_property):
                getattr(self, name)

    def make_bucket(self, name: str) -> None:
        """Make a bucket; one of that name may be there."""
        if self.region == "us-east-1":  # the one region that S3 does not let be named
            self.s3.create_bucket(Bucket=name)
        else:
            where: Any = {"LocationConstraint": self.region}
            self.s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)

    def keep_archive(self, archive: Path) -> "FunctionCodeTypeDef":
        """Put an archive of code where functions find it, once for all of them; return where.

        Inside a call it would be encoded, signed and hashed anew for every function.
        """
        with self._keeping:
            if not self._kept:
                self.make_bucket(_CODE_BUCKET)
            if archive not in self._kept:
                self.s3.put_object(Bucket=_CODE_BUCKET, Key=archive.name, Body=archive.read_bytes())
                self._kept.add(archive)
        return {"S3Bucket": _CODE_BUCKET, "S3Key": archive.name}

    def rest_api_url(self, api_id: str, stage: str) -> str:
        """Return where a stage of a REST API answers, whatever `Host` it is called by."""
        return f"{self.endpoint_url}/_aws/execute-api/{api_id}/{stage}"

    @cached_property
    def apigateway(self) -> "APIGatewayClient":
        """REST APIs."""
        return self._session.client("apigateway", **self._options)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Tables."""
        return self._session.client("dynamodb", **self._options)

    @cached_property
    def iam(self) -> "IAMClient":
        """Roles."""
        return self._session.client("iam", **self._options)

    @cached_property
    def lambda_(self) -> "LambdaClient":
        """Functions."""
        return self._session.client("lambda", **self._options)

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """Log groups."""
        return self._session.client("logs", **self._options)

    @cached_property
    def s3(self) -> "S3Client":
        """Buckets."""
        return self._session.client("s3", **self._options)

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        """Secrets."""
        return self._session.client("secretsmanager", **self._options)

    @cached_property
    def sns(self) -> "SNSClient":
        """Topics."""
        return self._session.client("sns", **self._options)

    @cached_property
    def sqs(self) -> "SQSClient":
        """Queues."""
        return self._session.client("sqs", **self._options)
