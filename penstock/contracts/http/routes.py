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
_TARGETS = (
    "/production",
    "/development",
    "/environments/{environment}",
    "/deployment/{deployment_id}",
)


def _baseten() -> tuple[Route, ...]:
    """Return the Baseten inference API; `/models/{model_id}` stands in for its host names."""
    found: list[Route] = []
    for model in (_MODEL_IN_PATH, ""):
        # Without a target segment the host names model and environment: `model-{id}-{env}`.
        targets = _TARGETS if model else ("", *_TARGETS)
        for target in targets:
            found += [
                Route("POST", f"{model}{target}/async_predict", "intake", "submit"),
                Route("GET", f"{model}{target}/async_queue_status", "status", "queue_status"),
            ]
        request = f"{model}/async_request/{{request_id}}"
        found += [
            Route("GET", request, "status", "get_request"),
            Route("DELETE", request, "status", "cancel_request"),
            Route("GET", f"{request}/result", "status", "get_result"),
        ]
    return tuple(found)


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
