"""What a container receives is what its caller sent."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import ContainerCall
from tests.unit.functions.containers import Gateway
from tests.unit.functions.events import proxy_event
from tests.unit.functions.world import World

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
UNRESERVED = "abcXYZ019-._~"
ENCODED = [f"%{byte:02X}" for byte in (0, 10, 32, 34, 35, 37, 47, 63, 92, 195, 255)] + ["%2f"]

segments = st.lists(
    st.sampled_from([*UNRESERVED, *"!$&'()*+,;=:@", *ENCODED]), min_size=1, max_size=8
).map("".join)
paths = st.lists(
    segments.filter(lambda segment: segment.lower().replace("%2e", ".") not in {".", ".."}),
    min_size=1,
    max_size=5,
).map("/".join)
queries = st.dictionaries(st.text(min_size=1), st.lists(st.text(), min_size=1, max_size=3))


def received(event: dict[str, Any]) -> tuple[ContainerCall, QueueMessage]:
    """Return what the worker finds in the queue after a call."""
    world = World()
    event["headers"]["Prefer"] = "respond-async"
    assert Gateway(world).resolve(event).status == 202
    (message,) = world.waiting(priority=1)
    message = QueueMessage.decoded(message.encoded())
    assert message.call is not None
    return message.call, message


@pytest.mark.spec("datacrunch", 8)
@given(st.sampled_from(METHODS), paths, st.booleans())
def test_method_and_path_survive_to_the_byte(method: str, path: str, ends_in_slash: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
    written = f"/{path}/" if ends_in_slash else f"/{path}"
    call, _ = received(proxy_event(method, f"/containers/ocr{written}"))
    assert (call.method, call.path) == (method, written)


@pytest.mark.spec("datacrunch", 8)
@given(queries)
def test_every_value_of_a_query_survives(query: dict[str, list[str]]) -> None:
    event = proxy_event("POST", "/containers/ocr")
    event["multiValueQueryStringParameters"] = query
    written = urlencode(query, doseq=True)
    call, _ = received(event)
    assert call.query == written
    assert parse_qsl(call.query, keep_blank_values=True) == [
        (name, value) for name, values in query.items() for value in values
    ]


@pytest.mark.spec("datacrunch", 8)
@given(st.binary(max_size=1_000))
def test_the_body_survives_to_the_byte(body: bytes) -> None:
    _, message = received(proxy_event("PUT", "/containers/ocr/files/a", body))
    assert message.inline_payload == body


@pytest.mark.parametrize("base", ["/containers/ocr", "/containers/ocr/"])
def test_the_base_url_is_served_with_and_without_its_slash(base: str) -> None:
    call, _ = received(proxy_event("POST", base))
    assert (call.path, call.query) == ("/", "")


def test_what_an_emulator_decoded_is_encoded_again() -> None:
    call, _ = received(proxy_event("POST", "/containers/ocr/a b/é?#x"))
    assert call.path == "/a%20b/%C3%A9%3F%23x"


@pytest.mark.parametrize("path", ["/..", "/a/../b", "/a/%2e%2E/b", "/.", "/a/."])
def test_a_path_must_not_climb(path: str) -> None:
    reply = Gateway(World()).call("POST", f"/containers/ocr{path}")
    assert (reply.status, list(reply.json)) == (400, ["error"])


def test_headers_survive_except_those_that_end_here() -> None:
    theirs = {
        "Content-Type": "image/png; x=y", "Accept": "text/event-stream", "Cookie": "a=b",
        "X-Custom": "é", "X-Inference-Id": "mine", "User-Agent": "me",
    }  # fmt: skip
    ours = {
        "Authorization": "Bearer k.s", "Prefer": "respond-async", "Host": "h", "Via": "1.1 x",
        "Accept-Encoding": "br", "Content-Length": "1", "Connection": "close, X-Hop", "X-Hop": "1",
        "TE": "trailers", "Transfer-Encoding": "chunked", "Upgrade": "h2c", "Keep-Alive": "1",
        "X-Amzn-Trace-Id": "t", "X-Amz-Cf-Id": "c", "CloudFront-Viewer-Country": "DE",
        "X-Forwarded-For": "203.0.113.7", "Forwarded": "for=x", "Expect": "100-continue",
    }  # fmt: skip
    call, message = received(proxy_event("POST", "/containers/ocr", b"1", headers=theirs | ours))
    expected = {name.lower(): value for name, value in theirs.items()}
    assert message.content_type == expected.pop("content-type")
    assert call.headers == expected


def test_a_body_of_no_type_is_binary() -> None:
    event = proxy_event("POST", "/containers/ocr", b"1")
    del event["headers"]["Content-Type"]
    _, message = received(event)
    assert message.content_type == "application/octet-stream"
