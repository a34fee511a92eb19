"""Reading an `async_predict` call."""

import json
from typing import Any

from pydantic import ValidationError

from penstock.contracts.errors import InvalidSubmissionError, PayloadTooLargeError
from penstock.contracts.http.baseten import AsyncPredict
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.request import RetryPolicy
from penstock.contracts.submission import Submission
from penstock.dialects.http_call import HttpCall
from penstock.dialects.webhook_target import check_webhook_target

IDEMPOTENCY_KEY_HEADER = "Idempotency-Key"
IDEMPOTENCY_KEY_LENGTH = 255


def read_submission(
    call: HttpCall, *, max_payload_bytes: int, webhook_rules: WebhookRules
) -> Submission:
    """Return what the caller submits.

    Raises:
        PayloadTooLargeError: the body is longer than `max_payload_bytes`.
        InvalidSubmissionError: the body or a header is wrong; the text names every field.
    """
    if len(call.body) > max_payload_bytes:
        raise PayloadTooLargeError(len(call.body), max_payload_bytes)
    wanted = _parsed(call.body)
    if wanted.webhook_endpoint is not None:
        check_webhook_target(wanted.webhook_endpoint, webhook_rules)
    retry = wanted.inference_retry_config
    return Submission(
        tenant=call.tenant,
        payload=_compact(wanted.model_input),
        priority=wanted.priority,
        max_time_in_queue_seconds=wanted.max_time_in_queue_seconds,
        retry=retry.policy() if retry else RetryPolicy(),
        predict_timeout_seconds=wanted.predict_timeout_seconds,
        webhook_endpoint=wanted.webhook_endpoint,
        idempotency_key=_idempotency_key(call),
    )


def _parsed(body: bytes) -> AsyncPredict:
    try:
        return AsyncPredict.model_validate_json(body)
    except ValidationError as error:
        wrong = [
            (".".join(str(part) for part in detail["loc"]), detail["msg"])
            for detail in error.errors(include_url=False, include_context=False)
        ]
        if len(wrong) == 1:
            raise InvalidSubmissionError(*wrong[0]) from error
        text = "; ".join(f"{field}: {reason}" for field, reason in wrong)
        raise InvalidSubmissionError("", text) from error


def _compact(model_input: Any) -> bytes:  # noqa: ANN401 - any JSON is welcome
    try:
        text = json.dumps(model_input, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        reason = "a number is NaN, infinite or too large for a double"
        raise InvalidSubmissionError("model_input", reason) from error
    return text.encode()


def _idempotency_key(call: HttpCall) -> str | None:
    key = call.headers.get(IDEMPOTENCY_KEY_HEADER.lower())
    if key is not None and not (1 <= len(key) <= IDEMPOTENCY_KEY_LENGTH and key.isprintable()):
        raise InvalidSubmissionError(
            IDEMPOTENCY_KEY_HEADER, f"must be 1 to {IDEMPOTENCY_KEY_LENGTH} printable characters"
        )
    return key
