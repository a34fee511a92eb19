"""The OpenAPI document, built from the table of routes and the models of the bodies.

`python -m penstock.dialects.openapi` prints it.
"""

import json
import re
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from penstock.contracts.http.baseten import ErrorBody, WebhookBody
from penstock.contracts.http.routes import ROUTES, Route
from penstock.dialects.baseten.operations import (
    OPERATIONS,
    OperationDescription,
    Success,
)
from penstock.dialects.baseten.webhook_operation import WEBHOOK_EXAMPLE, webhook_operation

_JSON = "application/json"
_SCHEMAS = "#/components/schemas/"

_ERRORS = {
    400: ("BadRequest", "The call is malformed; the text names the fields.", "client_error"),
    401: ("Unauthorized", "The API key is missing, wrong, expired or revoked.", "unauthorized"),
    404: ("NotFound", "No such model, deployment or request.", "model_does_not_exist"),
    409: (
        "Conflict",
        "There is no result (yet), or the idempotency key has another submission.",
        "result_not_ready",
    ),
    413: (
        "PayloadTooLarge",
        "The text tells the actual and the allowed size.",
        "payload_too_large",
    ),
    429: ("TooManyRequests", "Too many calls; send the same call again later.", "rate_limited"),
    500: ("InternalError", "Our fault.", "internal_server_error"),
    503: ("Unavailable", "Send the same call again.", "model_unavailable"),
}
"""Status: name, description, an example's `error_code`."""

_ANSWERED_EVERYWHERE = (401, 429, 500, 503)

_PATH_PARAMETERS = {
    "model_id": "The model.",
    "environment": "An environment of the model, such as `production` or `staging`.",
    "deployment_id": "A deployment of the model.",
    "request_id": "The id that the submission was answered with.",
}


def document() -> dict[str, Any]:
    """Return the document as plain dictionaries, lists and scalars."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    built = {
        "openapi": "3.1.0",
        **_introduction(),
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": paths,
        "webhooks": {
            "requestEnded": {"post": webhook_operation(_content(WebhookBody, WEBHOOK_EXAMPLE))}
        },
        "components": {
            "securitySchemes": _security_schemes(),
            "parameters": {name: _path_parameter(name) for name in _PATH_PARAMETERS},
            "responses": {name: _error(status) for status, (name, _, _) in _ERRORS.items()},
            "schemas": _schemas(),
        },
    }
    return dict(json.loads(json.dumps(built)))


def _introduction() -> dict[str, Any]:
    return {
        "info": {
            "title": "Penstock",
            "version": "1",
            "summary": "Asynchronous GPU inference that you own.",
            "description": (
                "Paths and bodies are those of the Baseten inference API. Paths without "
                "`/models/{model_id}` are for hosts that name the model: "
                "`model-{model_id}[-{environment}].<domain>`."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{host}",
                "description": "A stack of yours (output `api_url`).",
                "variables": {"host": {"default": "api.example.com"}},
            }
        ],
    }


def _operation(route: Route) -> dict[str, Any]:
    described = OPERATIONS[route.operation]
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.operation}{route.path}").strip("_"),
        "tags": [route.operation],
        "summary": described.summary,
        "description": described.description,
        "parameters": [
            *(
                {"$ref": f"#/components/parameters/{name}"}
                for name in re.findall(r"{(\w+)}", route.path)
            ),
            *described.parameters,
        ],
        "responses": _responses(described),
    }
    if described.body:
        content = _content(described.body, described.body_example)
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(described: OperationDescription) -> dict[str, Any]:
    answers = {str(success.status): _success(success) for success in described.successes}
    for status in sorted({*described.errors, *_ANSWERED_EVERYWHERE}):
        answers[str(status)] = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
    return answers


def _success(success: Success) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": success.description}
    if success.headers:
        answer["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in success.headers.items()
        }
    if success.example is not None:
        answer["content"] = _content(success.body, success.example)
    return answer


def _content(body: type[BaseModel] | None, example: object) -> dict[str, Any]:
    schema = {"$ref": _SCHEMAS + body.__name__} if body else {}
    return {_JSON: {"schema": schema, "example": example}}


def _error(status: int) -> dict[str, Any]:
    _, description, code = _ERRORS[status]
    answer: dict[str, Any] = {
        "description": description,
        "content": _content(ErrorBody, {"error": description, "error_code": code}),
    }
    if status == 503:  # noqa: PLR2004 - HTTP
        schema = {"type": "integer"}
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": schema}}
    return answer


def _path_parameter(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PATH_PARAMETERS[name],
        "schema": {"type": "string"},
    }


def _security_schemes() -> dict[str, Any]:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "`Authorization: Bearer <key>`",
        },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Authorization: Api-Key <key>`",
        },
    }


def _schemas() -> dict[str, Any]:
    # What we send always has every key; what clients send may leave out those with a default.
    modes: dict[type[BaseModel], JsonSchemaMode] = {
        ErrorBody: "validation",
        WebhookBody: "serialization",
    }
    for described in OPERATIONS.values():
        if described.body:
            modes[described.body] = "validation"
        modes |= {success.body: "serialization" for success in described.successes if success.body}
    _, schemas = models_json_schema(list(modes.items()), ref_template=_SCHEMAS + "{model}")
    definitions: dict[str, Any] = schemas["$defs"]
    return dict(sorted(definitions.items()))


def main() -> None:
    """Print the document as YAML."""
    import yaml  # noqa: PLC0415 - only who builds the documentation has it

    yaml.safe_dump(document(), sys.stdout, sort_keys=False, allow_unicode=True, width=100)


if __name__ == "__main__":
    main()
