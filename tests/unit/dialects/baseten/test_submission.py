"""Reading a Baseten submission."""

import json
from typing import Any

import pytest

from penstock.contracts.errors import InvalidSubmissionError, PayloadTooLargeError
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.origin import InputLocation
from penstock.contracts.request import RetryPolicy, Tenant
from penstock.contracts.submission import Submission, Target
from penstock.dialects.address import Address
from penstock.dialects.baseten.address import read_address
from penstock.dialects.baseten.submission import SubmissionReader
from tests.unit.dialects.calls import a_call

LIMIT = 262_144
OCR = Address(readings=(Target(model_id="ocr"),))
ADDRESSED = read_address(a_call()).said
READER = SubmissionReader(max_payload_bytes=LIMIT, webhook_rules=WebhookRules())


def read(
    *, raw: bytes | None = None, headers: dict[str, str] | None = None, **body: Any
) -> Submission:
    call = a_call(body=body, raw=raw, headers=headers)
    return READER.read(call)


def refusal(**kwargs: Any) -> str:
    with pytest.raises(InvalidSubmissionError) as refused:
        read(**kwargs)
    return str(refused.value)


def test_what_is_left_out_has_the_documented_default() -> None:
    assert read(model_input=1) == Submission(
        tenant="acme",
        addressed=ADDRESSED,
        payload=b"1",
        priority=0,
        max_time_in_queue_seconds=600,
        retry=RetryPolicy(max_attempts=3, initial_delay_ms=1_000, max_delay_ms=5_000),
    )


def test_what_is_given_is_taken() -> None:
    submission = read(
        model_input={"a": 1},
        webhook_endpoint="https://hooks.example.com/done",
        priority=2,
        max_time_in_queue_seconds=10,
        predict_timeout_seconds=2.5,
        inference_retry_config={"max_attempts": 4, "initial_delay_ms": 0, "max_delay_ms": 9},
        headers={"idempotency-key": "order 7"},
    )
    assert submission == Submission(
        tenant="acme",
        addressed=ADDRESSED,
        payload=b'{"a":1}',
        webhook_endpoint="https://hooks.example.com/done",
        priority=2,
        max_time_in_queue_seconds=10,
        predict_timeout_seconds=2.5,
        retry=RetryPolicy(max_attempts=4, initial_delay_ms=0, max_delay_ms=9),
        idempotency_key="order 7",
    )


@pytest.mark.spec("baseten", 4)
@pytest.mark.parametrize(
    ("field", "allowed", "refused"),
    [
        ("priority", (0, 2), (-1, 3)),
        ("max_time_in_queue_seconds", (10, 259_200), (9, 259_201)),
        ("predict_timeout_seconds", (1, 41_400), (0, 41_401)),
        ("inference_retry_config.max_attempts", (1, 10), (0, 11)),
        ("inference_retry_config.initial_delay_ms", (0, 10_000), (-1, 10_001)),
        ("inference_retry_config.max_delay_ms", (0, 60_000), (-1, 60_001)),
    ],
)
def test_ranges_include_their_ends(
    field: str, allowed: tuple[int, int], refused: tuple[int, int]
) -> None:
    def with_value(value: int) -> dict[str, Any]:
        outer, _, inner = field.partition(".")
        return {"model_input": 1, outer: {inner: value} if inner else value}

    for value in allowed:
        read(**with_value(value))
    for value in refused:
        assert refusal(**with_value(value)).startswith(f"{field}: ")


def test_every_wrong_field_is_named() -> None:
    text = refusal(priority=3, inference_retry_config={"max_attempts": 0}, modell_input=1)
    for field in ("priority", "inference_retry_config.max_attempts", "modell_input"):
        assert f"{field}: " in text


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe", b'"text"', b"[]", b"null", b'{"model_input":"\\ud800"}']
)
def test_a_malformed_body_is_refused(raw: bytes) -> None:
    assert refusal(raw=raw)


def test_the_input_may_be_null_but_not_absent() -> None:
    assert read(model_input=None).payload == b"null"
    assert refusal(priority=0) == "model_input: Field required"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("123456789012345678901234567890", b"123456789012345678901234567890"),
        ("-9223372036854775809", b"-9223372036854775809"),
        ("1e-7", b"1e-07"),
        ("0.1", b"0.1"),
        ("1.7976931348623157e308", b"1.7976931348623157e+308"),
        ("-0.0", b"-0.0"),
        ("1.0", b"1.0"),
        ('{"b": [1, {}],\n "a": null}', b'{"b":[1,{}],"a":null}'),
        ('"\\u00e9\\ud83d\\ude00 \\u0000"', '"é😀 \\u0000"'.encode()),
    ],
)
def test_the_input_is_kept_compactly_and_exactly(sent: str, kept: bytes) -> None:
    payload = read(raw=b'{"model_input": ' + sent.encode() + b"}").payload
    assert payload == kept
    assert json.loads(payload) == json.loads(sent)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_json_or_a_double_cannot_hold_are_refused(number: str) -> None:
    assert refusal(raw=b'{"model_input": [' + number.encode() + b"]}").startswith("model_input: ")


def test_an_input_is_taken_to_a_fair_depth_and_refused_beyond() -> None:
    def nested(depth: int) -> bytes:
        return b'{"model_input": ' + b"[" * depth + b"]" * depth + b"}"

    assert read(raw=nested(150)).payload == b"[" * 150 + b"]" * 150
    for depth in (300, 100_000):
        assert "recursion limit" in refusal(raw=nested(depth))


@pytest.mark.spec("baseten", 6)
def test_the_body_may_be_as_long_as_the_limit_and_no_longer() -> None:
    empty = len(b'{"model_input": ""}')
    at_limit = b'{"model_input": "' + b"x" * (LIMIT - empty) + b'"}'
    assert len(at_limit) == LIMIT
    read(raw=at_limit)

    with pytest.raises(PayloadTooLargeError, match=r"262145 bytes .* 262144 bytes"):
        read(raw=at_limit + b" ")


@pytest.mark.parametrize(
    "wrong", [{"priority": True}, {"priority": "1"}, {"max_time_in_queue_seconds": "60"}], ids=str
)
def test_what_is_no_number_in_json_is_no_number(wrong: dict[str, Any]) -> None:
    (field,) = wrong
    assert refusal(model_input=1, **wrong) == f"{field}: Input should be a number"


def test_the_input_may_lie_in_s3() -> None:
    submission = read(
        model_input_location="s3://bucket/a/page 1.png", model_input_content_type="image/png"
    )
    assert submission.payload == b""
    assert submission.input == InputLocation(
        bucket="bucket", key="a/page 1.png", content_type="image/png"
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"model_input": None, "model_input_location": "s3://bucket/key"}, "not both"),
        ({"model_input_location": "https://bucket/key"}, "not of the form s3://bucket/key"),
        ({"model_input": 1, "model_input_content_type": "text/plain"}, "model_input_location"),
        (
            {"model_input_location": "s3://bucket/key", "model_input_content_type": "a\r\nb"},
            "model_input_content_type: ",
        ),
    ],
    ids=["both", "no place", "type of nothing", "no type"],
)
def test_an_input_is_in_the_call_or_in_s3(body: dict[str, Any], says: str) -> None:
    assert says in refusal(**body)


def test_a_chain_takes_the_envelope_or_the_bare_arguments() -> None:
    envelope = {"model_input": {"pages": [1]}, "priority": 2}
    read_chain = READER.read_chain(a_call(body=envelope))
    assert (read_chain.payload, read_chain.priority) == (b'{"pages":[1]}', 2)

    bare = READER.read_chain(a_call(body={"pages": [1]}, headers={"idempotency-key": "k"}))
    assert (bare.payload, bare.priority) == (b'{"pages":[1]}', 0)
    assert bare.idempotency_key == "k"


@pytest.mark.parametrize("raw", [b"[1]", b"", b'"text"', b"x" * (LIMIT + 1)], ids=len)
def test_a_chain_takes_an_object_of_bounded_length(raw: bytes) -> None:
    with pytest.raises((InvalidSubmissionError, PayloadTooLargeError)):
        READER.read_chain(a_call(raw=raw))


def test_an_item_of_a_batch_has_its_own_key() -> None:
    item = b'{"model_input": 1, "idempotency_key": "line 1"}'
    assert READER.read_item(item, Tenant("acme"), OCR).idempotency_key == "line 1"
    for key in ("", "a\tb", "x" * 256):
        with pytest.raises(InvalidSubmissionError, match="idempotency_key: "):
            READER.read_item(
                json.dumps({"model_input": 1, "idempotency_key": key}).encode(), Tenant("acme"), OCR
            )


def test_the_length_is_judged_before_the_content() -> None:
    with pytest.raises(PayloadTooLargeError):
        read(raw=b"{" * (LIMIT + 1))


@pytest.mark.spec("baseten", 5)
def test_a_webhook_that_may_not_be_called_is_refused() -> None:
    text = refusal(model_input=1, webhook_endpoint="http://hooks.example.com")
    assert text == "webhook_endpoint: must begin with https://"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7f"])
def test_an_idempotency_key_is_short_and_printable(key: str) -> None:
    text = refusal(model_input=1, headers={"idempotency-key": key})
    assert text == "Idempotency-Key: must be 1 to 255 printable characters"
