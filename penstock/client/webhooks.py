"""Receiving webhooks: who calls it trusts only what this module returned."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from penstock.client.errors import WebhookVerificationError
from penstock.contracts.http.baseten import WebhookBody
from penstock.contracts.http.signature import SIGNATURE_HEADER, is_signed, signed_at
from penstock.contracts.ports.clock import utc_now

_UNSIGNED = "no signature was made over this body with a known secret"


def verify_webhook(  # noqa: PLR0913 - what a receiver has, and how strict it is
    body: bytes | str,
    signature_header: str | None,
    secrets: str | Sequence[str],
    *,
    timestamped_signature_header: str | None = None,
    tolerance_seconds: float = 300,
    now: datetime | None = None,
) -> WebhookBody:
    """Return the webhook if one of `secrets` signed exactly these bytes, lately.

    Args:
        body: the received bytes, or their text, before any parsing.
        signature_header: the value of `X-BASETEN-SIGNATURE`.
        secrets: the secret, or every secret in use; during a rotation both.
        timestamped_signature_header: the value of `X-PENSTOCK-SIGNATURE`. It is checked if it is
            given, and then the other may be left out.
        tolerance_seconds: how far its time may be from `now`, against replays.
        now: the present moment (with a zone), if it is not the machine's.

    Raises:
        WebhookVerificationError: it must not be trusted; the error says why.
    """
    known, received, now = _known(secrets), _received(body), now or utc_now()
    if timestamped_signature_header:
        sent_at = signed_at(received, timestamped_signature_header, known)
        _check_time(sent_at, now, tolerance_seconds)
    elif not signature_header:
        raise WebhookVerificationError(f"it has no {SIGNATURE_HEADER} header")
    if signature_header and not is_signed(received, signature_header, known):
        has_form = "v1=" in signature_header
        raise WebhookVerificationError(
            _UNSIGNED if has_form else f"{SIGNATURE_HEADER} is not of the form v1=<hex>[,v1=<hex>]"
        )
    try:
        webhook = WebhookBody.model_validate_json(received)
    except ValidationError as error:
        raise WebhookVerificationError(f"its body cannot be read: {error}") from error
    _check_time(webhook.time.timestamp(), now, tolerance_seconds)
    return webhook


def _known(secrets: str | Sequence[str]) -> Sequence[str]:
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    if not any(known):
        raise WebhookVerificationError("no signing secret was given to check it with")
    if not all(isinstance(secret, str) for secret in known):
        raise WebhookVerificationError("a signing secret is a text, whsec_…: give it or a list")
    return [secret for secret in known if secret]


def _received(body: bytes | str) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="surrogatepass")
    if not isinstance(body, bytes | bytearray | memoryview):
        raise WebhookVerificationError(
            f"the body is a {type(body).__name__}: give it as it was received, before any parsing"
        )
    return bytes(body)


def _check_time(sent_at: float | None, now: datetime, tolerance_seconds: float) -> None:
    if sent_at is None:
        raise WebhookVerificationError(_UNSIGNED)
    away_seconds = abs(now.timestamp() - sent_at)
    if away_seconds > tolerance_seconds:
        raise WebhookVerificationError(
            f"its time is {away_seconds:.0f} s from now, more than {tolerance_seconds:g} s"
        )
