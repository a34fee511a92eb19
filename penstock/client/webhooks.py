"""Receiving webhooks: who calls it trusts only what this module returned."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from penstock.client.errors import WebhookVerificationError
from penstock.contracts.http.baseten import WebhookBody
from penstock.contracts.http.signature import SIGNATURE_HEADER, is_signed
from penstock.contracts.ports.clock import utc_now


def verify_webhook(
    body: bytes,
    signature_header: str | None,
    secrets: Sequence[str],
    *,
    tolerance_seconds: float = 300,
    now: datetime | None = None,
) -> WebhookBody:
    """Return the webhook if one of `secrets` signed exactly these bytes, lately.

    Args:
        body: the received bytes, before any parsing.
        signature_header: the value of `X-BASETEN-SIGNATURE`.
        secrets: every secret in use; during a rotation both.
        tolerance_seconds: how far its `time` may be from `now`, against replays.
        now: the present moment (with a zone), if it is not the machine's.

    Raises:
        WebhookVerificationError: it must not be trusted; the error says why.
    """
    if not secrets:
        raise WebhookVerificationError("no signing secret was given to check it with")
    if not signature_header:
        raise WebhookVerificationError(f"it has no {SIGNATURE_HEADER} header")
    if not is_signed(body, signature_header, secrets):
        raise WebhookVerificationError("no signature was made over this body with a known secret")
    try:
        webhook = WebhookBody.model_validate_json(body)
    except ValidationError as error:
        raise WebhookVerificationError(f"its body cannot be read: {error}") from error
    away_seconds = abs(((now or utc_now()) - webhook.time).total_seconds())
    if away_seconds > tolerance_seconds:
        raise WebhookVerificationError(
            f"its time is {away_seconds:.0f} s from now, more than {tolerance_seconds:g} s"
        )
    return webhook
