"""boto3 clients with timeouts, retries and a pool that fit our processes."""

import os
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    AnyClient = DynamoDBClient | S3Client | SecretsManagerClient | SNSClient | SQSClient

Service = Literal["dynamodb", "s3", "secretsmanager", "sns", "sqs"]

_READ_TIMEOUT_SECONDS = 10
_LONG_POLL_READ_TIMEOUT_SECONDS = 30  # SQS answers an empty long poll after 20 s

_making = Lock()  # a boto3 session must not make two clients at once


@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sns"]) -> "SNSClient": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
def client(service: Service) -> "AnyClient":
    """Return this process's client of `service`; clients may be shared by threads."""
    with _making:
        return _client(service)


def forget_clients() -> None:
    """Make the next call of `client` read the AWS variables again."""
    with _making:
        _client.cache_clear()
        _session.cache_clear()


@cache
def _session() -> boto3.session.Session:
    # boto3 itself reads only AWS_DEFAULT_REGION and the profile's region.
    return boto3.session.Session(region_name=os.environ.get("AWS_REGION"))


@cache
def _client(service: Service) -> "AnyClient":
    return _session().client(service, config=_config(service))


def _config(service: Service) -> Config:
    # An emulator knows its buckets by path. Against AWS "virtual" also makes presigned URLs name
    # the region, so that a new bucket does not answer with a redirect.
    is_emulated = bool(os.environ.get("AWS_ENDPOINT_URL"))
    return Config(
        connect_timeout=3,
        read_timeout=_LONG_POLL_READ_TIMEOUT_SECONDS if service == "sqs" else _READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=64,
        tcp_keepalive=True,
        # Version 4 everywhere: presigned URLs of KMS-encrypted objects need it.
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path" if is_emulated else "virtual"},
    )
