"""What must hold of a signed call before its signature is worth computing."""

import hashlib
import re
from datetime import UTC, datetime, timedelta

from penstock.contracts.http.sagemaker import HEADER_PREFIX
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.signature.authorization import SignedAuthorization
from penstock.dialects.sagemaker.signature.refusals import (
    IncompleteSignatureError,
    InvalidSignatureError,
    UnrecognizedClientError,
)

SERVICE = "sagemaker"
DATE_HEADER = "x-amz-date"
_TERMINATOR = "aws4_request"
_ALWAYS_SIGNED = ("host", DATE_HEADER)
_TOKEN_HEADER = "x-amz-security-token"  # noqa: S105 - a header's name
_BODY_HASH_HEADER = "x-amz-content-sha256"
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_TIME = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SKEW = timedelta(minutes=5)


def check_claims(call: HttpCall, claimed: SignedAuthorization, now: datetime) -> None:
    """Pass if the signature is for us, for now, and covers all that matters of the call.

    Raises:
        SignatureRefusedError: it does not.
    """
    if _TOKEN_HEADER in call.headers:
        raise UnrecognizedClientError(
            " Access keys of this stack have no session token: unset AWS_SESSION_TOKEN."
        )
    if claimed.service != SERVICE:
        raise InvalidSignatureError(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if claimed.terminator != _TERMINATOR:
        raise InvalidSignatureError(
            f"Credential should be scoped with a valid terminator: '{_TERMINATOR}'."
        )
    _check_coverage(call, claimed)
    _check_time(call.headers[DATE_HEADER], claimed.date, now)
    _check_body_hash(call)


def _check_coverage(call: HttpCall, claimed: SignedAuthorization) -> None:
    """An unsigned header could have been put in on the way."""
    absent = [name for name in _ALWAYS_SIGNED if name not in call.headers]
    if absent:
        raise IncompleteSignatureError(f"The call lacks the header '{absent[0]}'.")
    telling = [name for name in call.headers if name.startswith(HEADER_PREFIX)]
    if _BODY_HASH_HEADER in call.headers:
        telling.append(_BODY_HASH_HEADER)
    for name in (*_ALWAYS_SIGNED, *telling):
        if name not in claimed.signed_headers:
            raise InvalidSignatureError(f"'{name}' must be among the SignedHeaders.")


def _check_time(sent: str, scope_date: str, now: datetime) -> None:
    if _TIME.fullmatch(sent) is None:
        raise IncompleteSignatureError(f"X-Amz-Date must be written {_TIME_FORMAT}.")
    if not sent.startswith(scope_date + "T"):
        raise InvalidSignatureError(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from"
            f" HTTP: '{scope_date}' != '{sent[:8]}', from '{sent}'."
        )
    try:
        signed_at = datetime.strptime(sent, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise IncompleteSignatureError(f"X-Amz-Date is no time: {sent}.") from error
    earliest, latest = now - _SKEW, now + _SKEW
    if signed_at < earliest:
        raise InvalidSignatureError(
            f"Signature expired: {sent} is now earlier than {earliest:{_TIME_FORMAT}}"
            f" ({now:{_TIME_FORMAT}} - 5 min.)"
        )
    if signed_at > latest:
        raise InvalidSignatureError(
            f"Signature not yet current: {sent} is still later than {latest:{_TIME_FORMAT}}"
            f" ({now:{_TIME_FORMAT}} + 5 min.)"
        )


def _check_body_hash(call: HttpCall) -> None:
    declared = call.headers.get(_BODY_HASH_HEADER)
    if declared is not None and declared != hashlib.sha256(call.body).hexdigest():
        raise InvalidSignatureError("X-Amz-Content-SHA256 is not the hash of the body.")
