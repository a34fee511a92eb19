"""Reading a call of a container: what the container is to receive."""

from collections.abc import Mapping
from urllib.parse import quote, unquote, urlencode

from penstock.contracts.errors import InvalidSubmissionError, PayloadTooLargeError
from penstock.contracts.origin import ContainerCall, Dialect
from penstock.contracts.request import Priority, RetryPolicy
from penstock.contracts.submission import Submission
from penstock.dialects.datacrunch.inference_id import idempotency_key, read_inference_id
from penstock.dialects.datacrunch.preferences import PREFER_HEADER, Preferences
from penstock.dialects.http_call import HttpCall

WAITED_FOR, NOT_WAITED_FOR = 0, 1
"""Priorities: a call that somebody waits for runs before those that nobody waits for."""

_SLASHES_BEFORE_THE_REST = "/containers/{deployment}/".count("/")
_LEGAL_IN_A_PATH = "/%:@!$&'()*+,;=-._~"
_RETRY = RetryPolicy(max_attempts=3, retries_answers=False)  # the container's errors are answers
_BINARY = "application/octet-stream"

# What concerns one hop, what names us or the API key, and what the dispatcher sets by itself.
# Compressed answers could not be told from others once they are stored.
_NOT_HANDED_ON = frozenset(
    {
        "accept-encoding", "authorization", "connection", "content-length", "content-type",
        "expect", "forwarded", "host", "keep-alive", "prefer", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "via",
    }
)  # fmt: skip
_PREFIXES_NOT_HANDED_ON = ("cloudfront-", "x-amz-", "x-amzn-", "x-forwarded-")


def read_submission(
    call: HttpCall, preferences: Preferences, *, max_payload_bytes: int, is_waited_for: bool
) -> Submission:
    """Return what the caller submits.

    Raises:
        PayloadTooLargeError: the body is longer than `max_payload_bytes`.
        InvalidSubmissionError: the path climbs, or the caller's id cannot be one.
    """
    if len(call.body) > max_payload_bytes:
        raise PayloadTooLargeError(len(call.body), max_payload_bytes)
    inference_id = read_inference_id(call)
    priority: Priority = WAITED_FOR if is_waited_for else NOT_WAITED_FOR
    return Submission(
        tenant=call.tenant,
        dialect=Dialect.DATACRUNCH,
        payload=call.body,
        content_type=call.headers.get("content-type") or _BINARY,
        call=ContainerCall(
            method=call.method,
            path=_path(call),
            query=_query(call.repeated_query),
            headers=_headers(call.headers, preferences),
        ),
        caller_id=inference_id,
        priority=priority,
        retry=_RETRY,
        idempotency_key=inference_id and idempotency_key(call, inference_id),
        any_repeat_is_same=inference_id is not None,
    )


def _path(call: HttpCall) -> str:
    """Return what follows the deployment's name, as the caller wrote it.

    API Gateway hands paths on as they were written. An emulator that decodes them loses what
    distinguishes `%2F` from `/`, but what it decoded becomes a legal path again.
    """
    rest = call.paths[-1].split("/", _SLASHES_BEFORE_THE_REST)[_SLASHES_BEFORE_THE_REST:]
    path = quote("/" + "".join(rest), safe=_LEGAL_IN_A_PATH)
    if any(unquote(segment) in {".", ".."} for segment in path.split("/")):
        raise InvalidSubmissionError("path", "must not contain . or .. as a segment")
    return path


def _query(parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Return all parameters; API Gateway decodes them, so they are encoded anew."""
    return urlencode(parameters, doseq=True)


def _headers(headers: Mapping[str, str], preferences: Preferences) -> dict[str, str]:
    named_by_connection = {
        name.strip().lower() for name in headers.get("connection", "").split(",")
    }
    handed_on = {
        name: value
        for name, value in headers.items()
        if name not in _NOT_HANDED_ON | named_by_connection
        and not name.startswith(_PREFIXES_NOT_HANDED_ON)
    }
    if preferences.for_container is not None:
        handed_on[PREFER_HEADER] = preferences.for_container
    return handed_on
