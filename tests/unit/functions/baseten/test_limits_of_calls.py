"""How often a tenant may ask."""

import pytest

from penstock.adapters.in_memory import InMemoryRateLimit
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World

REQUEST = "/models/ocr/async_request/r1"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", REQUEST),
        ("DELETE", REQUEST),
        ("GET", f"{REQUEST}/result"),
        ("GET", "/models/ocr/production/async_queue_status"),
        ("GET", "/models/ocr/production/async_requests"),
        ("POST", "/async_requests/status"),
    ],
)
def test_who_asks_too_often_is_told_when_to_come_again(
    world: World, method: str, path: str
) -> None:
    api = Api(world=world, calls=InMemoryRateLimit(2, world.clock))
    statuses = [api.call(method, path, tenant="acme").status for _ in range(2)]
    assert 429 not in statuses

    refused = api.call(method, path)
    assert (refused.status, refused.json["error_code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "1"
    assert api.call(method, path, tenant="other").status != 429

    world.clock.advance(1)
    assert api.call(method, path).status != 429
