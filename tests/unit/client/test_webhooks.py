"""Which webhooks are believed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock.client import WebhookVerificationError, verify_webhook
from penstock.contracts.http.signature import signature, timestamped_signature

# Body, secrets and signatures of the published test vector.
BODY = (
    b'{"request_id":"0123456789abcdef0123456789abcdef","model_id":"abc123",'
    b'"deployment_id":"dep456","type":"async_request_completed",'
    b'"time":"2026-01-02T03:04:05.678901Z","data":{"ok":true},"errors":[]}'
)
SECRET = "whsec_TestSecretDoNotUse0123456789abcdefghijkl"  # noqa: S105 - the test vector's
OLDER_SECRET = "whsec_OlderSecretDoNotUse0123456789abcdefghijk"  # noqa: S105 - the test vector's
SIGNED = "v1=ab7d1e1097c70b57e3507898ec5d5cebddd6a953d1f68c33f2d5dca8e2c72f84"
SIGNED_BY_OLDER = "v1=91b85e4f825182459f9aff0352188760e88b4c3a5861fdb06c89b19ac36f3291"
NOW = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
TIMESTAMPED = timestamped_signature(BODY, int(NOW.timestamp()) - 1, [SECRET, OLDER_SECRET])


@pytest.mark.parametrize(("secret", "header"), [(SECRET, SIGNED), (OLDER_SECRET, SIGNED_BY_OLDER)])
def test_the_published_signatures_are_believed(secret: str, header: str) -> None:
    webhook = verify_webhook(BODY, header, [secret], now=NOW)

    assert webhook.request_id == "0123456789abcdef0123456789abcdef"
    assert webhook.data == {"ok": True}


@pytest.mark.parametrize("secrets", [SECRET, [SECRET], (OLDER_SECRET, SECRET)])
@pytest.mark.parametrize("body", [BODY, BODY.decode(), bytearray(BODY)])
def test_a_body_of_text_or_bytes_and_one_secret_or_several_are_taken(
    body: bytes | str, secrets: str | list[str]
) -> None:
    assert verify_webhook(body, SIGNED, secrets, now=NOW).model_id == "abc123"


@pytest.mark.parametrize("known", [[SECRET], [OLDER_SECRET], [OLDER_SECRET, SECRET]])
def test_during_a_rotation_either_secret_is_enough(known: list[str]) -> None:
    header = f"{SIGNED},{SIGNED_BY_OLDER}"

    assert verify_webhook(BODY, header, known, now=NOW).model_id == "abc123"


@pytest.mark.parametrize(
    ("body", "header", "secrets", "reason"),
    [
        (BODY, None, [SECRET], "X-BASETEN-SIGNATURE"),
        (BODY, "", [SECRET], "X-BASETEN-SIGNATURE"),
        (BODY, SIGNED, [], "no signing secret"),
        (BODY, SIGNED, "", "no signing secret"),
        (BODY, SIGNED, [SECRET.encode()], "a signing secret is a text"),
        (BODY, SIGNED, SECRET.encode(), "a signing secret is a text"),
        ({"request_id": "a"}, SIGNED, SECRET, "the body is a dict"),
        (BODY, "sha256=00", SECRET, "not of the form v1=<hex>"),
        ("é\ud83d", SIGNED, SECRET, "no signature"),
        (BODY, SIGNED, ["whsec_wrong"], "no signature"),
        (BODY, "v1=", [SECRET], "no signature"),
        (BODY + b" ", SIGNED, [SECRET], "no signature"),
        (b"{}", signature(b"{}", [SECRET]), [SECRET], "cannot be read"),
    ],
)
def test_a_webhook_nobody_signed_is_refused(
    body: Any, header: str | None, secrets: Any, reason: str
) -> None:
    with pytest.raises(WebhookVerificationError) as refused:
        verify_webhook(body, header, secrets, now=NOW)

    assert reason in refused.value.reason


@pytest.mark.parametrize("seconds", [-302, 302])
def test_a_webhook_of_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(WebhookVerificationError, match="from now, more than 300 s"):
        verify_webhook(BODY, SIGNED, [SECRET], now=NOW + timedelta(seconds=seconds))


def test_the_tolerance_is_the_callers() -> None:
    late = NOW + timedelta(hours=1)

    assert verify_webhook(BODY, SIGNED, [SECRET], now=late, tolerance_seconds=4000).errors == ()


@pytest.mark.parametrize("header", [SIGNED, None])
@pytest.mark.parametrize("secret", [SECRET, OLDER_SECRET])
def test_a_timestamped_signature_is_enough(header: str | None, secret: str) -> None:
    known = [secret, SECRET]
    webhook = verify_webhook(BODY, header, known, timestamped_signature_header=TIMESTAMPED, now=NOW)

    assert webhook.data == {"ok": True}


@pytest.mark.parametrize(
    ("header", "timestamped", "reason"),
    [
        (SIGNED, TIMESTAMPED.replace("t=17", "t=18"), "no signature"),
        (SIGNED, timestamped_signature(BODY, 0, [SECRET]), "from now, more than 300 s"),
        (SIGNED, "v1=", "no signature"),
        ("v1=wrong", TIMESTAMPED, "no signature"),
        (None, None, "X-BASETEN-SIGNATURE"),
    ],
)
def test_each_signature_that_is_there_must_hold(
    header: str | None, timestamped: str | None, reason: str
) -> None:
    with pytest.raises(WebhookVerificationError) as refused:
        verify_webhook(BODY, header, [SECRET], timestamped_signature_header=timestamped, now=NOW)

    assert reason in refused.value.reason


def test_a_webhook_may_point_to_its_result() -> None:
    body = BODY.replace(b'{"ok":true}', b"null").replace(
        b'"errors":[]', b'"errors":[],"result_url":"https://results.example.com/r"'
    )

    webhook = verify_webhook(body, signature(body, [SECRET]), [SECRET], now=NOW)

    assert (webhook.data, webhook.result_url) == (None, "https://results.example.com/r")
