"""Sending a sample to a receiver."""

import json

import pytest

from penstock.client import verify_webhook
from penstock.contracts.http.webhook_url import ForbiddenTargetError
from penstock.contracts.ports.webhooks import ReceiverAnswer, UnreachableReceiverError
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.webhooks.conftest import URL, StackInMemory


def test_a_sample_is_signed_as_webhooks_are(penstock: CommandLine, stack: StackInMemory) -> None:
    done = penstock("webhooks", "test", URL, "--json")

    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    ((url, body, headers),) = stack.receivers.posts
    webhook = verify_webhook(
        body,
        headers["X-BASETEN-SIGNATURE"],
        ["whsec_first"],
        timestamped_signature_header=headers["X-PENSTOCK-SIGNATURE"],
    )
    assert (url.host, webhook.data) == ("hooks.example.com", {"sample": True})
    assert shown["request_id"] == webhook.request_id == headers["X-BASETEN-REQUEST-ID"]
    assert (shown["delivered"], shown["status"], shown["consequence"]) == (
        True,
        200,
        "it is delivered",
    )
    assert shown["seconds"] >= 0


@pytest.mark.parametrize(
    ("answer", "reason", "consequence"),
    [
        (500, "the receiver answered 500", "it is sent again later"),
        (
            ReceiverAnswer(429, "60"),
            "the receiver answered 429",
            "it is sent again, not before Retry-After: 60",
        ),
        (
            302,
            "the receiver answered 302: redirects are not followed",
            "it is sent again later",
        ),
        (
            410,
            "the receiver answered 410: it wants no webhook any more",
            "it is given up at once",
        ),
        (UnreachableReceiverError("it is down"), "it is down", "it is sent again later"),
        (
            ForbiddenTargetError("it leads to 10.0.0.1"),
            "refused by Penstock: it leads to 10.0.0.1",
            "it is given up at once",
        ),
    ],
)
def test_a_sample_that_is_not_taken_is_explained(
    penstock: CommandLine,
    stack: StackInMemory,
    answer: int | ReceiverAnswer | Exception,
    reason: str,
    consequence: str,
) -> None:
    stack.receivers.answers = [answer]
    done = penstock("webhooks", "test", URL, "--json")
    assert done.exit_code == 1
    shown = json.loads(done.stdout)
    assert not shown["delivered"]
    assert (shown["reason"], shown["consequence"]) == (reason, consequence)


def test_a_url_that_is_refused_is_not_called(penstock: CommandLine, stack: StackInMemory) -> None:
    done = penstock("webhooks", "test", "https://0x7f.1/")
    assert done.exit_code == 1
    assert "refused by Penstock: must name its host: an IP address is not called" in done.stdout
    assert stack.receivers.posts == []
