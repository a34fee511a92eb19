"""JSON that others wrote: whatever is wrong with it, there is one error to expect."""

import json

import pytest

from penstock.contracts.json_text import (
    NotJsonError,
    is_json_text,
    parse_exact_json,
    parse_json,
    without_bom,
)

_DEEP = b"[" * 100_000 + b"]" * 100_000
_BOM = "\ufeff".encode()


@pytest.mark.parametrize(
    "content", [_DEEP, b"", b"{", b'"\xff"', b"9" * 5_000, b'{"a":' * 50_000], ids=len
)
def test_what_cannot_be_parsed_is_not_json_and_no_crash(content: bytes) -> None:
    assert not is_json_text(content)
    with pytest.raises(NotJsonError):
        parse_json(content)
    with pytest.raises(NotJsonError):
        parse_exact_json(content)


@pytest.mark.parametrize(
    "content",
    [b"NaN", b"[-Infinity]", b'{"e":1e400}', b"[-1e999]", b'"\\ud83d"', b'{"\\uDE00":1}'],
)
def test_a_value_that_not_every_reader_takes_is_not_exact(content: bytes) -> None:
    assert is_json_text(content)
    with pytest.raises(NotJsonError):
        parse_exact_json(content)


@pytest.mark.parametrize(
    "content",
    [b'{"a":[1,2.5,null,true]}', b'"\\ud83d\\ude00"', '"é\ufffe\u2028"'.encode(), b"1e308"],
)
def test_an_ordinary_value_is_exact(content: bytes) -> None:
    assert parse_exact_json(content) == json.loads(content)


def test_a_leading_byte_order_mark_means_nothing() -> None:
    assert parse_exact_json(_BOM + b"[1]") == parse_json(_BOM + b"[1]") == [1]
    assert without_bom(_BOM + b"[1]") == b"[1]"


@pytest.mark.parametrize("content", [_BOM + b"[1]", "[1]".encode("utf-16")], ids=len)
def test_what_only_some_readers_take_is_parsed_but_not_handed_on_as_json(content: bytes) -> None:
    assert parse_json(content) == [1]
    assert not is_json_text(content)
