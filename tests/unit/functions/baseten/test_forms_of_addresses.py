"""The five forms in which a model or a chain is addressed."""

from typing import NamedTuple

import pytest

from penstock.adapters.in_memory import InMemoryCatalog
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World


class Form(NamedTuple):
    """What follows the name in the host, what begins the path, and where that leads."""

    suffix: str
    path: str
    deployment_id: str


FORMS = [
    Form("", "/production", "ocr-1"),
    Form("", "/environments/staging", "ocr-2"),
    Form("", "/development", "ocr-2"),
    Form("", "/deployment/ocr-1", "ocr-1"),
    Form("-staging", "", "ocr-2"),
]


@pytest.fixture
def world() -> World:
    """Return a world whose model and chain have a development environment."""
    world = World()
    known = [world.catalog.find_model(name) for name in ("ocr", "chain:pages")]
    world.catalog = InMemoryCatalog(
        model.model_copy(update={"environments": {**model.environments, "development": "ocr-2"}})
        for model in known
        if model is not None
    )
    return world


@pytest.mark.spec("baseten", 1)
@pytest.mark.parametrize(
    ("name", "call"), [("model-ocr", "async_predict"), ("chain-pages", "async_run_remote")]
)
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_each_form_leads_to_its_deployment(
    api: Api, world: World, name: str, call: str, form: Form
) -> None:
    host = f"{name}{form.suffix}.api.example.com"
    reply = api.call("POST", f"{form.path}/{call}", {"model_input": {"page": 1}}, host=host)
    assert reply.status == 201
    assert isinstance(reply.json["request_id"], str)
    assert world.row(reply.json["request_id"]).deployment_id == form.deployment_id


@pytest.mark.spec("baseten", 16)
@pytest.mark.parametrize("name", ["model-ocr", "chain-pages"])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_each_form_tells_of_its_deployments_queue(
    api: Api, world: World, name: str, form: Form
) -> None:
    submit = f"/models/ocr/deployment/{form.deployment_id}/async_predict"
    for priority in (0, 1, 2):
        api.call("POST", submit, {"model_input": 1, "priority": priority})
    world.queues[form.deployment_id].receive(
        priority=1, max_messages=1, wait_seconds=0, visible_after_seconds=60
    )

    host = f"{name}{form.suffix}.api.example.com"
    assert api.call("GET", f"{form.path}/async_queue_status", host=host).json == {
        "model_id": "ocr",
        "deployment_id": form.deployment_id,
        "num_queued_requests": 2,
        "num_in_progress_requests": 1,
    }
