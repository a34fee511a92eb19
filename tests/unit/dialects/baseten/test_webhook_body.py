"""The webhook's bytes, and both ways in which receivers verify them."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from penstock.contracts.http.baseten import WebhookBody
from penstock.contracts.http.signature import signature
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import RequestState
from penstock.dialects.baseten.answers import webhook_body
from tests.unit.dialects.baseten.rows import a_row

NEWEST = "whsec_TestSecretDoNotUse0123456789abcdefghijkl"
OLDER = "whsec_OlderSecretDoNotUse0123456789abcdefghijk"

RESULTS = [
    '"é 漢字 😀 \\u2028 </script>"',
    "1.5e-7",
    "[0.1, 1e22, 5e-324, 1.7976931348623157e308, -0.0, 1.0]",
    "[123456789012345678901234567890, -1]",
    '{"a": {"b": null}, "c": [null, [null]]}',
    "[]",
    '{"empty": {}, "list": []}',
    "null",
    "[NaN, Infinity]",
    '"quote \\" backslash \\\\ tab \\t nul \\u0000 del \\u007f"',
]
MOMENTS = [
    datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
]


class ReceivedWebhook(BaseModel):
    """What receivers of the first guide parse a webhook into."""

    model_config = ConfigDict(extra="allow")

    request_id: str
    model_id: str
    deployment_id: str
    type: str
    time: datetime
    data: Any
    errors: list[dict[str, Any]]


def by_hand(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def raw_verifier(body: bytes, header: str, secret: str) -> bool:
    """The newer guide: HMAC over the raw body, against the first signature."""
    first = header.partition(",")[0].removeprefix("v1=")
    return hmac.compare_digest(first, by_hand(body, secret))


def reserialising_verifier(body: bytes, header: str, secrets: list[str]) -> bool:
    """The first guide: parse, serialise again, try every secret with every signature."""
    again = ReceivedWebhook.model_validate_json(body).model_dump_json().encode()
    made = [part.removeprefix("v1=") for part in header.split(",")]
    return any(by_hand(again, secret) in made for secret in secrets)


@pytest.mark.spec("baseten", 29)
@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_both_verifiers_accept_any_result(result: str, moment: datetime) -> None:
    row = a_row(state=RequestState.SUCCEEDED)
    body = webhook_body(row, from_json(result), moment).encoded()
    header = signature(body, [NEWEST, OLDER])

    assert raw_verifier(body, header, NEWEST)
    assert not raw_verifier(body, header, OLDER)
    assert reserialising_verifier(body, header, [OLDER])
    assert not reserialising_verifier(body, header, ["whsec_another"])


@pytest.mark.spec("baseten", 29)
def test_both_verifiers_accept_a_failure() -> None:
    fault = Fault(code=FaultCode.MODEL_PREDICT_TIMEOUT, message="Longer than 3600 s: é.")
    row = a_row(state=RequestState.FAILED, faults=(fault,))
    body = webhook_body(row, None, MOMENTS[0]).encoded()
    header = signature(body, [NEWEST])

    assert raw_verifier(body, header, NEWEST)
    assert reserialising_verifier(body, header, [NEWEST])
    assert b'"data":null,"errors":[{"code":"MODEL_PREDICT_TIMEOUT","message":"' in body


def test_both_verifiers_accept_a_url_in_place_of_the_result() -> None:
    row = a_row(state=RequestState.SUCCEEDED)
    body = webhook_body(row, None, MOMENTS[0], "https://b.s3.example.com/r?a=1&b=%2F").encoded()
    header = signature(body, [NEWEST])

    assert raw_verifier(body, header, NEWEST)
    assert reserialising_verifier(body, header, [NEWEST])
    assert body.endswith(
        b'"data":null,"errors":[],"result_url":"https://b.s3.example.com/r?a=1&b=%2F"}'
    )


@pytest.mark.spec("baseten", 29)
def test_the_published_vector_is_reproduced() -> None:
    body = (
        b'{"request_id":"0123456789abcdef0123456789abcdef","model_id":"abc123",'
        b'"deployment_id":"dep456","type":"async_request_completed",'
        b'"time":"2026-01-02T03:04:05.678901Z","data":{"ok":true},"errors":[]}'
    )
    sent = WebhookBody(
        request_id="0123456789abcdef0123456789abcdef",
        model_id="abc123",
        deployment_id="dep456",
        time=MOMENTS[0],
        data={"ok": True},
        errors=(),
    )
    assert sent.encoded() == body
    assert signature(body, [NEWEST, OLDER]) == (
        "v1=ab7d1e1097c70b57e3507898ec5d5cebddd6a953d1f68c33f2d5dca8e2c72f84,"
        "v1=91b85e4f825182459f9aff0352188760e88b4c3a5861fdb06c89b19ac36f3291"
    )
