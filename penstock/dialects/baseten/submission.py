"""Reading what a caller of the Baseten API submits: one request, a chain's, or a batch's item."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from penstock.contracts.errors import InvalidSubmissionError, PayloadTooLargeError
from penstock.contracts.http.baseten import AsyncPredict
from penstock.contracts.http.native import IDEMPOTENCY_KEY_LENGTH, BatchItem
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.json_text import without_bom
from penstock.contracts.origin import InputLocation, Location
from penstock.contracts.request import RetryPolicy, Tenant
from penstock.contracts.submission import Submission
from penstock.dialects.address import Address
from penstock.dialects.baseten.address import read_address
from penstock.dialects.http_call import HttpCall
from penstock.dialects.webhook_target import check_webhook_target

IDEMPOTENCY_KEY_HEADER = "Idempotency-Key"

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class SubmissionReader:
    """Turns bodies into submissions.

    All methods raise `InvalidSubmissionError` when a body or header is wrong, naming every field,
    and `PayloadTooLargeError` when a body is too long.
    """

    max_payload_bytes: int
    webhook_rules: WebhookRules

    def read(self, call: HttpCall) -> Submission:
        """Return what a caller of a model submits."""
        self._check_size(call.body)
        wanted = read_body(AsyncPredict, call.body)
        return self._submission(wanted, call.tenant, read_address(call), _idempotency_key(call))

    def read_chain(self, call: HttpCall) -> Submission:
        """Return what a caller of a chain submits: as for a model, or the bare arguments.

        Baseten's reference describes bare arguments, its guide the envelope of a model.
        """
        self._check_size(call.body)
        body = _json_object(call.body)
        if body.keys() & {"model_input", "model_input_location"}:
            return self.read(call)
        bare = AsyncPredict(model_input=body)
        return self._submission(bare, call.tenant, read_address(call), _idempotency_key(call))

    def read_item(self, item: bytes, tenant: Tenant, address: Address) -> Submission:
        """Return what one item of a batch submits."""
        self._check_size(item)
        wanted = read_body(BatchItem, item)
        key = wanted.idempotency_key
        if key is not None and not key.isprintable():
            raise InvalidSubmissionError("idempotency_key", "must be printable characters")
        return self._submission(wanted, tenant, address, key)

    def _check_size(self, body: bytes) -> None:
        if len(body) > self.max_payload_bytes:
            raise PayloadTooLargeError(len(body), self.max_payload_bytes)

    def _submission(
        self, wanted: AsyncPredict, tenant: Tenant, address: Address, idempotency_key: str | None
    ) -> Submission:
        if wanted.webhook_endpoint is not None:
            check_webhook_target(wanted.webhook_endpoint, self.webhook_rules)
        location = _location(wanted)
        retry = wanted.inference_retry_config
        return Submission(
            tenant=tenant,
            payload=b"" if location else _compact(wanted.model_input),
            input=location,
            addressed=address.said,
            priority=wanted.priority,
            max_time_in_queue_seconds=wanted.max_time_in_queue_seconds,
            retry=retry.policy() if retry else RetryPolicy(),
            predict_timeout_seconds=wanted.predict_timeout_seconds,
            webhook_endpoint=wanted.webhook_endpoint,
            idempotency_key=idempotency_key,
        )


def read_body(model: type[Body], body: bytes) -> Body:
    """Return a body as `model`; raise `InvalidSubmissionError` with every field that is wrong."""
    try:
        return model.model_validate_json(without_bom(body))
    except ValidationError as error:
        wrong = [
            (".".join(str(part) for part in detail["loc"]), detail["msg"])
            for detail in error.errors(include_url=False, include_context=False)
        ]
        if len(wrong) == 1:
            raise InvalidSubmissionError(*wrong[0]) from error
        text = "; ".join(f"{field}: {reason}" for field, reason in wrong)
        raise InvalidSubmissionError("", text) from error


def read_location(field: str, uri: str) -> Location:
    """Return the place that `uri` names; raise `InvalidSubmissionError` if it names none."""
    try:
        return Location.parse(uri)
    except ValueError as error:
        raise InvalidSubmissionError(field, str(error)) from error


def _location(wanted: AsyncPredict) -> InputLocation | None:
    if wanted.model_input_location is None:
        return None
    place = read_location("model_input_location", wanted.model_input_location)
    return InputLocation(
        bucket=place.bucket, key=place.key, content_type=wanted.model_input_content_type
    )


def _json_object(body: bytes) -> dict[str, Any]:
    return read_body(RootModel[dict[str, Any]], body).root


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
