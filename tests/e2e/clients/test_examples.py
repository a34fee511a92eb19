"""Every file of `examples/clients` runs as shipped, with its own packages and nothing of ours."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.clients.conftest import Clients
from tests.e2e.clients.isolated import (
    EXAMPLES,
    environment,
    run,
    script,
    skip_unless_installable,
)

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("baseten_async.py", ["SUCCEEDED []", '{"echo": {"text": "hello"}']),
        ("sagemaker_boto3.py", ["example-1 {'inputs': 'from S3'}", "{'inputs': 'inline'}"]),
        ("sagemaker_predictor.py", ["{'inputs': 'hello'}"]),
        ("datacrunch_verda.py", ["'body': {'inputs': 'hello'}"]),
    ],
)
def test_a_client_works_with_another_address_and_key(
    clients: Clients, name: str, said: list[str]
) -> None:
    skip_unless_installable(EXAMPLES / name)
    printed = run(clients, script(EXAMPLES / name))
    assert [text for text in said if text not in printed] == []


def test_a_baseten_receiver_takes_our_webhook_by_both_published_checks(clients: Clients) -> None:
    receiver = EXAMPLES / "baseten_webhook.py"
    skip_unless_installable(receiver)
    secrets = ",".join(clients.stack.signing_secrets())
    with subprocess.Popen(
        script(receiver, "0"),
        env=environment(clients, WEBHOOK_SECRETS=secrets),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            run(clients, script(EXAMPLES / "baseten_async.py"), WEBHOOK_ENDPOINT=f"{address}/hook")
            printed, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    for check in ("raw body", "parsed and serialised again", "fresh"):
        assert f"'{check}': True" in printed
    assert "{'echo': {'text': 'hello'}" in printed


def test_curl_speaks_all_three(clients: Clients) -> None:
    printed = run(clients, [str(EXAMPLES / "curl.sh")])
    assert '"status":"SUCCEEDED"' in printed
    assert '{"echo": {"text": "hello"}' in printed
    assert "X-Amzn-SageMaker-OutputLocation: s3://" in printed
    assert '"Status":"' in printed


def test_no_example_is_left_out() -> None:
    named = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.iterdir() if path.name not in named] == []
