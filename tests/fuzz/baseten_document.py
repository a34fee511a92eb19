"""Baseten's own document of its API: what of it Penstock serves, and how it is called here."""

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, Response
from schemathesis.core.result import Ok

from penstock.contracts.outcome import Failed, Fault, FaultCode, Succeeded
from penstock.contracts.request import AsyncRequest, WebhookStatus
from tests.fuzz.campaign import CONFORMANCE, Operation
from tests.fuzz.in_process import URL, session_to
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World

DOCUMENT = Path(__file__).parents[3] / "shared/data/baseten-inference-openapi.json"
"""Baseten's, so no part of this tree."""

_WEBHOOK = {
    "enum": ["https://hooks.example.com/done", "https://hooks.example.com:443/%C3%A9?a=%20#b"]
}
_NAMES = {"env_name": "staging", "deployment_id": "ocr-2"}


def published() -> Any:
    """Return the document as Baseten wrote it."""
    return json.loads(DOCUMENT.read_text())


def as_we_take_it() -> Any:
    """Return the document without what Penstock refuses: unknown keys, and webhooks of any URL."""
    document = deepcopy(published())
    schemas = document["components"]["schemas"]
    for name in ("AsyncPredictRequest", "InferenceRetryConfig"):
        schemas[name]["additionalProperties"] = False
    schemas["AsyncPredictRequest"]["properties"]["webhook_endpoint"] = _WEBHOOK
    return document


def asynchronous(document: Any) -> Sequence[Operation]:
    """Return what is asynchronous of all that a document describes."""
    found = schemathesis.openapi.from_dict(document).get_all_operations()
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    return [one for one in operations if "async" in one.path or one.path.endswith("wake")]


def submits(operation: Operation) -> bool:
    """Whether an operation takes a request in."""
    return operation.path.endswith(("async_predict", "async_run_remote"))


def hosts(operation: Operation) -> list[str]:
    """Return the hosts at which an operation is served; bare paths name no environment."""
    kinds = {"async_predict": ["model-ocr"], "async_run_remote": ["chain-pages"]}
    names = kinds.get(operation.path.rpartition("/")[2], ["model-ocr", "chain-pages"])
    is_regional = operation.path.count("/") == 1
    return [f"{name}{'-staging' * is_regional}.api.example.com" for name in names]


def call(
    api: Api, operation: Operation, case: Case[Any], host: str, request_id: str = ""
) -> Response:
    """Return the answer to a call; fail if Baseten's document does not know it."""
    names = {**_NAMES, "request_id": request_id}
    wanted = [parameter.name for parameter in operation.path_parameters]
    case.path_parameters = {name: names[name] for name in wanted}
    response = case.call(base_url=URL, session=session_to(api), headers={"Host": host})
    case.validate_response(response, checks=CONFORMANCE)
    return response


def in_every_state(world: World, chain_id: str | None) -> list[AsyncRequest]:
    """Return a request in each state that a caller can see, and one for each reason to fail."""
    faults = [Fault(code=code, message="boom") for code in FaultCode]

    def waiting() -> AsyncRequest:
        return world.accepted("https://hooks.example.com/done", chain_id=chain_id)

    def running() -> AsyncRequest:
        return world.requests.claim(waiting().request_id, "worker", 30)

    def succeeded(webhook: WebhookStatus) -> AsyncRequest:
        row = running()
        result = world.results.put_result(row.request_id, b"1", "application/json")
        ended = world.requests.finish(row, Succeeded(result=result))
        world.requests.record_webhook(ended, webhook)
        return row

    expired = waiting()
    world.clock.advance(601)
    world.requests.expire(expired.request_id, faults[0])
    return [
        expired,
        *(world.requests.finish(running(), Failed(fault=fault)) for fault in faults),
        succeeded(WebhookStatus.SUCCEEDED),
        succeeded(WebhookStatus.FAILED),
        world.requests.cancel(waiting().request_id, force=False),
        world.accepted(chain_id=chain_id),
        world.requests.release(running(), faults[0], counts_as_attempt=True),
        running(),
        waiting(),
    ]
