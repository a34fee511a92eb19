"""Every route of the HTTP API: which function serves which method and path.

Infra declares them, the functions serve them, and the OpenAPI document describes them; a test
holds the three together. Paths are those of the Baseten inference API, with an optional
`/models/{model_id}` in front for stacks without a wildcard domain.
"""

from typing import Literal, NamedTuple

FunctionName = Literal["intake", "status"]


class Route(NamedTuple):
    """One method on one path."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    function: FunctionName
    operation: str
    """What it does; the same operation is served on several paths."""


_MODEL_IN_PATH = "/models/{model_id}"
_TARGETS = (
    "/production",
    "/development",
    "/environments/{environment}",
    "/deployment/{deployment_id}",
)


def _routes() -> tuple[Route, ...]:
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


ROUTES = _routes()
