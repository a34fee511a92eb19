"""Every route of the HTTP API: which function serves which method and path.

Infra declares them, the functions serve them, and the OpenAPI document describes them; a test
holds the three together. Each dialect brings its own; an operation is named after its dialect.
"""

from typing import Literal, NamedTuple

from penstock.contracts.origin import Dialect

FunctionName = Literal["intake", "status"]
Method = Literal["GET", "POST", "DELETE", "ANY"]
Authorization = Literal["key", "signature"]
"""By whom a caller is known: API Gateway's authorizer reads keys; a signature covers the body,
which only the function sees."""


class Route(NamedTuple):
    """One method on one path."""

    method: Method
    path: str
    """Path parameters in braces; `{name+}` as the last one takes the rest of the path."""

    function: FunctionName
    operation: str
    """What it does; the same operation is served on several paths."""

    dialect: Dialect = Dialect.BASETEN
    """In whose words errors are answered."""

    authorization: Authorization = "key"


_MODEL_IN_PATH = "/models/{model_id}"
_CHAIN_IN_PATH = "/chains/{chain_id}"
_TARGETS = (
    "/production",
    "/development",
    "/environments/{environment}",
    "/deployment/{deployment_id}",
)


def _baseten() -> tuple[Route, ...]:
    """Return the Baseten inference API and what we serve beyond it.

    `/models/{model_id}` and `/chains/{chain_id}` stand in for its host names.
    """
    found = [
        Route("POST", "/uploads", "intake", "create_upload"),
        Route("POST", "/async_requests/status", "status", "get_statuses"),
    ]
    for owner in (_MODEL_IN_PATH, _CHAIN_IN_PATH, ""):
        # Without a target segment the host names model and environment: `model-{id}-{env}`.
        targets = _TARGETS if owner else ("", *_TARGETS)
        for target in targets:
            found += _at_target(f"{owner}{target}", owner)
        request = f"{owner}/async_request/{{request_id}}"
        found += [
            Route("GET", request, "status", "get_request"),
            Route("DELETE", request, "status", "cancel_request"),
            Route("GET", f"{request}/result", "status", "get_result"),
        ]
    return tuple(found)


def _at_target(target: str, owner: str) -> list[Route]:
    found = [
        Route("POST", f"{target}/async_predict_batch", "intake", "submit_batch"),
        Route("POST", f"{target}/wake", "intake", "wake"),
        Route("GET", f"{target}/async_queue_status", "status", "queue_status"),
        Route("GET", f"{target}/async_requests", "status", "list_requests"),
    ]
    if owner != _CHAIN_IN_PATH:
        found.append(Route("POST", f"{target}/async_predict", "intake", "submit"))
    if owner != _MODEL_IN_PATH:
        found.append(Route("POST", f"{target}/async_run_remote", "intake", "submit_chain"))
    return found


BASETEN_ROUTES = _baseten()
SAGEMAKER_ROUTES = (
    Route(
        "POST",
        "/endpoints/{endpoint_name}/async-invocations",
        "intake",
        "sagemaker_invoke_async",
        Dialect.SAGEMAKER,
        "signature",
    ),
)
DATACRUNCH_ROUTES = (
    Route(
        "GET",
        "/containers/status/{deployment}",
        "status",
        "datacrunch_status",
        Dialect.DATACRUNCH,
    ),
    Route(
        "GET",
        "/containers/result/{deployment}",
        "status",
        "datacrunch_result",
        Dialect.DATACRUNCH,
    ),
    Route("ANY", "/containers/{deployment}", "intake", "datacrunch_call", Dialect.DATACRUNCH),
    Route(
        "ANY", "/containers/{deployment}/{path+}", "intake", "datacrunch_call", Dialect.DATACRUNCH
    ),
)
ROUTES = (*BASETEN_ROUTES, *SAGEMAKER_ROUTES, *DATACRUNCH_ROUTES)
