"""Clients of AWS with timeouts, retries and a pool that fit our processes."""

import os
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, overload

import botocore
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader
from botocore.utils import determine_content_length

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

    AnyClient = DynamoDBClient | S3Client | SecretsManagerClient | SNSClient | SQSClient | STSClient

Service = Literal["dynamodb", "s3", "secretsmanager", "sns", "sqs", "sts"]

_READ_TIMEOUT_SECONDS = 10
_LONG_POLL_READ_TIMEOUT_SECONDS = 30  # SQS answers an empty long poll after 20 s

_ASK_FIRST_BYTES = 1024**2

_OURS = get_args(Service)

_making = Lock()  # a session must not make two clients at once


class _OurServices(Loader):
    """Describes the services that `client` makes clients of, and knows no others."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - each has all
        """Return their names."""
        return list(_OURS)


class _QuickLoader(Loader):
    """Finds the descriptions of our services without looking at all 400 of AWS.

    That look takes 15 ms of a cold start, longer where the disk is cold too. Others are found as
    ever: credentials may need a client of their own (`sso`).
    """

    def __init__(self) -> None:
        super().__init__()
        self._ours = _OurServices()

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:  # noqa: ANN401 - as botocore has it
        """Return the description of a service."""
        if service_name in _OURS:
            return self._ours.load_service_model(service_name, type_name, api_version)
        return super().load_service_model(service_name, type_name, api_version)


class _OnDemand:
    """Stands for a client until something of it is used."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        return getattr(client(self._service), name)


@overload
def client(
    service: Literal["dynamodb"], *, on_demand: bool = ..., prompt_seconds: float | None = ...
) -> "DynamoDBClient": ...
@overload
def client(service: Literal["s3"], *, on_demand: bool = ...) -> "S3Client": ...
@overload
def client(
    service: Literal["secretsmanager"], *, on_demand: bool = ...
) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sns"], *, on_demand: bool = ...) -> "SNSClient": ...
@overload
def client(
    service: Literal["sqs"], *, on_demand: bool = ..., prompt_seconds: float | None = ...
) -> "SQSClient": ...
@overload
def client(service: Literal["sts"], *, on_demand: bool = ...) -> "STSClient": ...
@overload
def client(
    service: Service, *, on_demand: bool = ..., prompt_seconds: float | None = ...
) -> "AnyClient": ...
def client(
    service: Service, *, on_demand: bool = False, prompt_seconds: float | None = None
) -> "AnyClient":
    """Return this process's client of `service`; clients may be shared by threads.

    Args:
        service: Whose client.
        on_demand: Make it at its first use. Making one takes 20 to 40 ms of a cold start, too much
            for a service that few calls need.
        prompt_seconds: A client of its own that waits so long for a connection and so long for an
            answer, and repeats nothing: for calls that are worth nothing when they are late.
    """
    if on_demand:
        return cast("AnyClient", _OnDemand(service))
    with _making:
        return _client(service, prompt_seconds)


def forget_clients() -> None:
    """Make the next call of `client` read the AWS variables again."""
    with _making:
        _client.cache_clear()
        _session.cache_clear()


@cache
def _session() -> botocore.session.Session:
    # boto3's own session adds transfer managers and resources, which nothing of ours uses and
    # which take a fifth of the time that it takes to import.
    session = botocore.session.get_session()
    session.register_component("data_loader", _QuickLoader())
    return session


@cache
def _client(service: Service, prompt_seconds: float | None) -> "AnyClient":
    # botocore itself reads only AWS_DEFAULT_REGION and the profile's region.
    region = os.environ.get("AWS_REGION")
    made = _session().create_client(
        service, region_name=region, config=_config(service, prompt_seconds)
    )
    if service == "s3":
        made.meta.events.register_last("before-call.s3", _send_small_bodies_at_once)
    return cast("AnyClient", made)


def _send_small_bodies_at_once(params: dict[str, Any], **_: object) -> None:
    """Do not ask S3 whether it will take a small body, and wait for the answer, before sending it.

    botocore asks for every body; AWS's SDK for Java asks from this size on.
    """
    size = determine_content_length(params["body"])
    if size is not None and size < _ASK_FIRST_BYTES:
        params["headers"].pop("Expect", None)


def _config(service: Service, prompt_seconds: float | None) -> Config:
    # An emulator knows its buckets by path. Against AWS "virtual" also makes presigned URLs name
    # the region, so that a new bucket does not answer with a redirect.
    usual_seconds = _LONG_POLL_READ_TIMEOUT_SECONDS if service == "sqs" else _READ_TIMEOUT_SECONDS
    is_emulated = bool(os.environ.get("AWS_ENDPOINT_URL"))
    return Config(
        connect_timeout=min(3, prompt_seconds or 3),
        read_timeout=prompt_seconds or usual_seconds,
        retries={"mode": "standard", "total_max_attempts": 1 if prompt_seconds else 3},
        max_pool_connections=64,
        tcp_keepalive=True,
        # AWS validates too, and ours are typed: a tenth of a call's CPU.
        parameter_validation=False,
        # What botocore would compose anew for every call, twice: a sixth of a call's CPU.
        user_agent=f"penstock Botocore/{botocore.__version__}",
        # Version 4 everywhere: presigned URLs of KMS-encrypted objects need it.
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path" if is_emulated else "virtual"},
    )
