"""Computing the signature that a call must carry."""

import hashlib
import hmac
from urllib.parse import quote

from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.signature.authorization import ALGORITHM, SignedAuthorization
from penstock.dialects.sagemaker.signature.claims import DATE_HEADER
from penstock.dialects.sagemaker.signature.refusals import InvalidSignatureError

_UNRESERVED = "-_.~"


def check_signature(call: HttpCall, claimed: SignedAuthorization, secret: str) -> None:
    """Pass if `secret` signed this very call; what the signature claims was checked before.

    The call may have been made to a path with or without the stage in front.

    Raises:
        InvalidSignatureError: it did not.
    """
    key = _signing_key(secret, claimed)
    is_signed = False
    for path in call.paths:
        expected = hmac.new(key, _string_to_sign(call, claimed, path), hashlib.sha256).hexdigest()
        is_signed |= hmac.compare_digest(expected, claimed.signature)
    if not is_signed:
        raise InvalidSignatureError(
            "The request signature we calculated does not match the signature you provided."
            " Check your secret access key, and that nothing between you and this stack changes"
            " host, path, headers or body."
        )


def canonical_request(call: HttpCall, claimed: SignedAuthorization, path: str) -> bytes:
    """Return what a caller hashes of a call: the same for all that mean the same."""
    lines = (
        call.method,
        quote(path, safe="/~"),
        _canonical_query(call),
        *(f"{name}:{_canonical_value(call, name)}" for name in claimed.signed_headers),
        "",
        ";".join(claimed.signed_headers),
        hashlib.sha256(call.body).hexdigest(),
    )
    return "\n".join(lines).encode()


def _canonical_query(call: HttpCall) -> str:
    pairs = sorted(
        (quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED))
        for name, values in call.repeated_query.items()
        for value in values
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def _canonical_value(call: HttpCall, name: str) -> str:
    value = call.headers.get(name)
    if value is None and name == "content-length":
        # Gateways keep it to themselves.
        return str(len(call.body))
    if value is None:
        raise InvalidSignatureError(f"'{name}' is among the SignedHeaders and did not arrive.")
    return " ".join(value.split())


def _string_to_sign(call: HttpCall, claimed: SignedAuthorization, path: str) -> bytes:
    hashed = hashlib.sha256(canonical_request(call, claimed, path)).hexdigest()
    return "\n".join((ALGORITHM, call.headers[DATE_HEADER], claimed.scope, hashed)).encode()


def _signing_key(secret: str, claimed: SignedAuthorization) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (claimed.date, claimed.region, claimed.service, claimed.terminator):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
