"""How the boto3 clients are set up."""

from io import BytesIO
from typing import Any, get_args

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from penstock.adapters.aws.clients import Service, _session, client, forget_clients

pytestmark = pytest.mark.usefixtures("aws_variables")


def config_of(any_client: Any) -> Any:
    return any_client.meta.config


def test_a_process_has_one_client_per_service() -> None:
    assert client("sqs") is client("sqs")
    assert client("sqs").meta.service_model.service_name == "sqs"
    assert client("sns").meta.service_model.service_name == "sns"


@pytest.mark.parametrize("service", get_args(Service))
def test_a_client_is_made_without_a_look_at_the_services_of_others(service: Service) -> None:
    assert client(service).meta.service_model.service_name == service
    loader = _session().get_component("data_loader")
    assert set(loader.list_available_services("service-2")) == set(get_args(Service))


def test_the_region_is_that_of_the_process() -> None:
    assert client("dynamodb").meta.region_name == "eu-central-1"


def test_a_long_poll_ends_before_the_client_gives_up() -> None:
    assert config_of(client("sqs")).read_timeout > 20
    assert config_of(client("dynamodb")).read_timeout <= 10


def test_calls_are_repeated_twice_at_most() -> None:
    config = config_of(client("dynamodb"))
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert (config.connect_timeout, config.max_pool_connections) == (3, 64)
    assert config.tcp_keepalive


def test_calls_say_whose_they_are() -> None:
    assert config_of(client("sqs")).user_agent.startswith("penstock Botocore/1.")


@pytest.mark.parametrize(("size", "asks"), [(1_000, None), (2 * 1024**2, b"100-continue")])
def test_s3_is_asked_first_only_about_a_large_body(size: int, asks: bytes | None) -> None:
    sent: list[Any] = []

    def answered(request: Any, **_: object) -> Any:
        sent.append(request.headers.get("Expect"))
        empty = HTTPResponse(BytesIO(), preload_content=False)
        return AWSResponse(request.url, 200, HTTPHeaders(), empty)

    forget_clients()
    client("s3").meta.events.register("before-send.s3", answered)
    client("s3").put_object(Bucket="results", Key="one", Body=b"x" * size)
    forget_clients()
    assert sent == [asks]


def test_buckets_of_an_emulator_are_addressed_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_of(client("s3")).s3["addressing_style"] == "virtual"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    forget_clients()
    assert config_of(client("s3")).s3["addressing_style"] == "path"
    assert client("sqs").meta.endpoint_url == "http://127.0.0.1:4566"
