"""Characters that SQS refuses reach the model, whoever sends them."""

import json

import pytest

from penstock.contracts.message import QueueMessage
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.intake.invocations import AccessKeys
from tests.unit.functions.world import World

ODD = "end\ufffeof\uffffline"
RAW = json.dumps({"t": ODD}, ensure_ascii=False)
ESCAPED = json.dumps({"t": ODD})


@pytest.fixture
def keys(world: World) -> AccessKeys:
    return AccessKeys(world)


@pytest.fixture
def api(world: World, keys: AccessKeys) -> Api:
    return Api(world=world, keys=keys)


def only(world: World, priority: int = 0) -> QueueMessage:
    (message,) = world.waiting(priority=priority)
    return message


def text_of(message: QueueMessage) -> object:
    assert message.inline_payload is not None
    return json.loads(message.inline_payload)["t"]


@pytest.mark.parametrize("written", [RAW, ESCAPED], ids=["raw", "escaped"])
def test_a_baseten_caller_is_heard(api: Api, world: World, written: str) -> None:
    path, body = "/models/ocr/production/async_predict", f'{{"model_input":{written}}}'

    assert api.call("POST", path, body).status == 201
    assert text_of(only(world)) == ODD


def test_a_batch_is_heard(api: Api, world: World) -> None:
    path = "/models/ocr/production/async_predict_batch"
    reply = api.call("POST", path, {"requests": [{"model_input": {"t": ODD}}] * 2})

    assert (reply.status, reply.json["accepted"]) == (200, 2)
    assert [text_of(message) for message in world.waiting()] == [ODD, ODD]


def test_a_sagemaker_caller_is_heard(api: Api, world: World, keys: AccessKeys) -> None:
    headers = {"Authorization": "Bearer " + ".".join(keys.issue())}
    path = "/endpoints/ocr/async-invocations"

    assert api.call("POST", path, RAW.encode(), headers=headers).status == 202
    assert text_of(only(world)) == ODD


def test_a_container_is_called_as_it_was_called(api: Api, world: World) -> None:
    headers = {"Prefer": "respond-async", "X-Odd": ODD}
    reply = api.call("POST", "/containers/ocr/v1/chat", RAW.encode(), headers=headers)

    message = only(world, priority=1)
    assert (reply.status, text_of(message)) == (202, ODD)
    assert message.call is not None
    assert message.call.headers["x-odd"] == ODD
