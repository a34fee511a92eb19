"""What a webhook says."""

import pytest

from penstock.contracts.errors import UnavailableError
from penstock.contracts.outcome import Failed, Fault, FaultCode
from penstock.contracts.request import RequestId
from tests.unit.functions.webhooks.deliveries import URL, Webhooks
from tests.unit.functions.world import World


@pytest.mark.spec("baseten", 27)
def test_a_success_is_posted_with_its_result(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b'{"text": "\xc3\xa9"}', webhook=URL)
    webhooks.deliver(row)
    assert [*webhooks.sent().items()] == [
        ("request_id", row.request_id),
        ("model_id", "ocr"),
        ("deployment_id", "ocr-1"),
        ("type", "async_request_completed"),
        ("time", world.clock().isoformat().replace("+00:00", "Z")),
        ("data", {"text": "é"}),
        ("errors", []),
    ]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"RIFF", "audio/wav"),
        (b"1", "text/plain"),
        (b"{", "application/json"),
        (b'{"score": NaN}', "application/json"),
        (b"[-Infinity]", "application/json"),
        (b'{"e": 1e400}', "application/json"),
        (b'"\\ud83d"', "application/json"),
        (b"[" * 400 + b"]" * 400, "application/json"),
        (b"[" * 100_000 + b"]" * 100_000, "application/json"),
    ],
    ids=range(9),
)
def test_a_result_that_is_not_json_is_posted_as_a_url(
    webhooks: Webhooks, world: World, body: bytes, content_type: str
) -> None:
    row = world.succeeded(body, content_type, webhook=URL)
    webhooks.deliver(row)
    sent = webhooks.sent()
    assert (sent["data"], sent["errors"]) == (None, [])
    assert sent["result_url"] == (
        f"https://results.invalid/results/{row.request_id}?lifetime_seconds=3600"
    )
    assert list(sent)[-2:] == ["errors", "result_url"]


def test_a_large_result_is_posted_as_a_url_without_being_read(world: World) -> None:
    webhooks = Webhooks(world, max_body_bytes=1_000)
    row = world.succeeded(b'"' + b"x" * 999 + b'"', webhook=URL)
    world.faults.fail("results.read", UnavailableError("read", "it is read"))
    webhooks.deliver(row)
    assert webhooks.sent()["data"] is None
    assert row.request_id in webhooks.sent()["result_url"]
    assert world.faults.pending == ["before results.read"]


def test_a_result_that_fits_only_without_what_goes_around_it_is_posted_as_a_url(
    world: World,
) -> None:
    webhooks = Webhooks(world, max_body_bytes=1_000)
    fits = world.succeeded(b'"' + b"x" * 600 + b'"', webhook=URL)
    webhooks.deliver(fits)
    assert webhooks.sent()["data"] == "x" * 600
    assert "result_url" not in webhooks.sent()

    webhooks.receivers.posts.clear()
    webhooks.deliver(world.succeeded(b'"' + b"x" * 990 + b'"', webhook=URL))
    assert webhooks.sent()["data"] is None
    assert "result_url" in webhooks.sent()
    assert all(len(body) <= 1_000 for _, body, _ in webhooks.receivers.posts)


@pytest.mark.spec("baseten", 27)
def test_a_success_whose_result_has_passed_away_is_told_all_the_same(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"{}", webhook=URL)
    assert row.result is not None
    world.results.remove(row.result)
    webhooks.deliver(row)
    assert (webhooks.sent()["data"], webhooks.sent()["errors"]) == (None, [])
    assert row.request_id in webhooks.sent()["result_url"]


def test_a_failure_is_posted_with_its_fault(webhooks: Webhooks, world: World) -> None:
    fault = Fault(code=FaultCode.MODEL_INVALID_INPUT, message="no image")
    failure = world.results.put_failure(RequestId("r"), b"{}")
    row = world.requests.finish(world.running(URL), Failed(fault=fault, failure=failure))
    webhooks.deliver(row)
    sent = webhooks.sent()
    assert sent["data"] is None
    assert sent["errors"] == [{"code": "MODEL_INVALID_INPUT", "message": "no image"}]
    assert "result_url" not in sent


def test_an_expired_request_is_posted_with_a_reason(webhooks: Webhooks, world: World) -> None:
    row = world.accepted(URL)
    world.clock.advance(601)
    fault = Fault(code=FaultCode.MODEL_UNAVAILABLE, message="nobody took it")
    webhooks.deliver(world.requests.expire(row.request_id, fault))
    assert webhooks.sent()["errors"] == [fault.model_dump(mode="json")]
