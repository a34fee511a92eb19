"""The webhook signature: `X-BASETEN-SIGNATURE: v1=<hex>[,v1=<hex>]`, newest secret first.

The key is the whole secret string, the message the whole body, HMAC-SHA256 in lowercase hex
(Baseten async guide).
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence

SIGNATURE_HEADER = "X-BASETEN-SIGNATURE"
REQUEST_ID_HEADER = "X-BASETEN-REQUEST-ID"


def _hex(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signature(body: bytes, secrets: Sequence[str]) -> str:
    """Return the header's value for `body`, signed by every secret, in their order."""
    return ",".join(f"v1={_hex(body, secret)}" for secret in secrets)


def is_signed(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether any signature in `header` was made over `body` with any of `secrets`."""
    made = [part.strip().removeprefix("v1=") for part in (header or "").split(",")]
    # A list, not a generator: every pair is compared, so timing tells nothing.
    matches = [hmac.compare_digest(_hex(body, secret), m) for secret in secrets for m in made]
    return any(matches)
