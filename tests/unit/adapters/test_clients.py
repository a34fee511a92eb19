"""How the boto3 clients are set up."""

from io import BytesIO
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError
from botocore.loaders import Loader
from urllib3 import HTTPResponse

from penstock.adapters.aws.clients import Service, client, forget_clients
from runtime_image.dispatcher.scheduling.holding import heartbeat_timeout_seconds

pytestmark = pytest.mark.usefixtures("aws_variables")


def config_of(any_client: Any) -> Any:
    return any_client.meta.config


def test_a_process_has_one_client_per_service() -> None:
    assert client("sqs") is client("sqs")
    assert client("sqs").meta.service_model.service_name == "sqs"
    assert client("sns").meta.service_model.service_name == "sns"


@pytest.mark.parametrize("service", get_args(Service))
def test_a_client_is_made_without_a_look_at_all_services_of_aws(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(_: Loader, type_name: str) -> list[str]:
        raise AssertionError(f"{type_name} of all services were looked for")

    forget_clients()
    monkeypatch.setattr(Loader, "list_available_services", look)
    assert client(service).meta.service_model.service_name == service


def test_a_profile_that_assumes_a_role_has_its_credentials_from_sts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(
        "[profile deploy]\nrole_arn = arn:aws:iam::123456789012:role/deploy\n"
        "source_profile = base\nregion = eu-central-1\n"
        "[profile base]\naws_access_key_id = one\naws_secret_access_key = two\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "deploy")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")  # nobody answers there
    forget_clients()

    with pytest.raises(EndpointConnectionError, match=r"127\.0\.0\.1:9"):
        client("sqs").list_queues()
    forget_clients()


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


@pytest.mark.parametrize("service", ["dynamodb", "sqs"])
def test_a_heartbeat_waits_a_sixth_of_the_lease_and_is_not_repeated(
    service: Literal["dynamodb", "sqs"],
) -> None:
    seconds = heartbeat_timeout_seconds(30)
    prompt = client(service, prompt_seconds=seconds)
    config = config_of(prompt)
    assert (seconds, config.read_timeout) == (5, 5)
    assert config.connect_timeout <= seconds
    assert config.retries["total_max_attempts"] == 1
    assert prompt is not client(service)


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
