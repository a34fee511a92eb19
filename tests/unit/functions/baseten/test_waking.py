"""Starting a worker without a request."""

import pytest

from functions.intake.admission import Admission
from penstock.adapters.in_memory import InMemoryRateLimit
from penstock.contracts.request_id import model_fingerprint
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World


@pytest.mark.parametrize(
    ("path", "host", "deployment_id"),
    [
        ("/models/ocr/production/wake", None, "ocr-1"),
        ("/models/ocr/environments/staging/wake", None, "ocr-2"),
        ("/models/ocr/deployment/ocr-2/wake", None, "ocr-2"),
        ("/production/wake", "model-ocr.api.example.com", "ocr-1"),
        ("/wake", "model-ocr-staging.api.example.com", "ocr-2"),
        ("/chains/pages/production/wake", None, "ocr-1"),
        ("/wake", "chain-pages.api.example.com", "ocr-1"),
    ],
)
def test_a_wake_up_makes_the_queue_longer_at_the_lowest_priority(
    api: Api, world: World, path: str, host: str | None, deployment_id: str
) -> None:
    reply = api.call("POST", path, host=host)
    assert (reply.status, reply.json) == (202, {})
    assert reply.headers["X-BASETEN-REQUEST-ID"].startswith(model_fingerprint("ocr"))
    (message,) = world.waiting(deployment_id, priority=2)
    assert message.is_wake_up


def test_waking_leaves_no_row_behind(api: Api, world: World) -> None:
    api.call("POST", "/models/ocr/production/wake")
    (message,) = world.waiting(priority=2)
    assert world.requests.find(message.request_id) is None


def test_waking_an_unknown_model_is_404(api: Api) -> None:
    assert api.call("POST", "/models/nope/production/wake").status == 404


def test_waking_counts_towards_a_tenants_rate(world: World) -> None:
    admission = Admission(
        rate=InMemoryRateLimit(1, world.clock),
        requests=world.requests,
        outstanding_limit=0,
        clock=world.clock,
    )
    api = Api(world=world, admission=admission)
    assert [api.call("POST", "/models/ocr/production/wake").status for _ in range(2)] == [202, 429]
