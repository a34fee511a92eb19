"""The headers of a webhook: what it is about, and who vouches for it.

Two signatures are sent, each made with every active secret, the newest first. The key is the whole
secret string, the digest HMAC-SHA256 in lowercase hex.

- `X-BASETEN-SIGNATURE: v1=<hex>[,v1=<hex>]` over the body (Baseten async guide).
- `X-PENSTOCK-SIGNATURE: t=<unix seconds>,v1=<hex>[,v1=<hex>]` over `<unix seconds>.<body>`, so that
  the age of any body is known without reading it.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

REQUEST_ID_HEADER = "X-BASETEN-REQUEST-ID"
SIGNATURE_HEADER = "X-BASETEN-SIGNATURE"
EVENT_ID_HEADER = "X-PENSTOCK-EVENT-ID"
TIMESTAMP_HEADER = "X-PENSTOCK-TIMESTAMP"
TIMESTAMPED_SIGNATURE_HEADER = "X-PENSTOCK-SIGNATURE"

_USER_AGENT = "Penstock-Webhooks/1"


def signature(body: bytes, secrets: Sequence[str]) -> str:
    """Return the header's value for `body`, signed by every secret, in their order."""
    return ",".join(f"v1={_hex(body, secret)}" for secret in secrets)


def is_signed(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether any signature in `header` was made over `body` with any of `secrets`."""
    made = [part.strip().removeprefix("v1=") for part in (header or "").split(",")]
    # A list, not a generator: every pair is compared, so timing tells nothing.
    matches = [_are_equal(_hex(body, secret), m) for secret in secrets for m in made]
    return any(matches)


def timestamped_signature(body: bytes, timestamp: int, secrets: Sequence[str]) -> str:
    """Return the header's value for `body` sent at `timestamp` (unix seconds)."""
    return f"t={timestamp},{signature(_timed(body, str(timestamp)), secrets)}"


def signed_at(body: bytes, header: str | None, secrets: Iterable[str]) -> int | None:
    """Return when `body` was sent, if `header` proves it with any of `secrets`."""
    first, _, signatures = (header or "").partition(",")
    name, _, timestamp = first.strip().partition("=")
    if name != "t" or not (timestamp.isascii() and timestamp.isdigit()):
        return None
    if not is_signed(_timed(body, timestamp), signatures, secrets):
        return None
    return int(timestamp)


def webhook_headers(
    request_id: str, event_id: str, body: bytes, secrets: Sequence[str], sent_at: datetime
) -> dict[str, str]:
    """Return every header that goes with `body`, signed by every secret."""
    timestamp = int(sent_at.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": _USER_AGENT,
        REQUEST_ID_HEADER: request_id,
        EVENT_ID_HEADER: event_id,
        SIGNATURE_HEADER: signature(body, secrets),
        TIMESTAMP_HEADER: str(timestamp),
        TIMESTAMPED_SIGNATURE_HEADER: timestamped_signature(body, timestamp, secrets),
    }


def _timed(body: bytes, timestamp: str) -> bytes:
    return timestamp.encode() + b"." + body


def _hex(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _are_equal(ours: str, theirs: str) -> bool:
    # As bytes: compare_digest refuses text that is not ASCII, and a header may be any text.
    return hmac.compare_digest(ours.encode(), theirs.encode())
