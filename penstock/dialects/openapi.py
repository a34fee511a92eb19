"""The OpenAPI document, built from the table of routes and what each dialect says of its own.

`python -m penstock.dialects.openapi` prints it.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from penstock.contracts.http.baseten import WebhookBody
from penstock.contracts.http.routes import ROUTES, Route
from penstock.contracts.origin import Dialect
from penstock.dialects.baseten import operations as baseten
from penstock.dialects.baseten.document.webhook import WEBHOOK_EXAMPLE, webhook_operation
from penstock.dialects.datacrunch import operations as datacrunch
from penstock.dialects.operation import JSON, Answer, Body, DialectDescription, OperationDescription
from penstock.dialects.sagemaker import operations as sagemaker

DIALECTS: Mapping[Dialect, DialectDescription] = {
    Dialect.BASETEN: baseten.DESCRIPTION,
    Dialect.DATACRUNCH: datacrunch.DESCRIPTION,
    Dialect.SAGEMAKER: sagemaker.DESCRIPTION,
}

ANY_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
"""What a route for `ANY` method is described as."""

_WITH_BODY = {"POST", "PUT", "PATCH"}
_COMPONENTS = "#/components/"


def document() -> dict[str, Any]:
    """Return the document as plain dictionaries, lists and scalars."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        for method in methods(route):
            paths.setdefault(documented_path(route), {})[method.lower()] = _operation(route, method)
    built = {
        "openapi": "3.1.0",
        **_introduction(),
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": paths,
        "webhooks": {
            "requestEnded": {
                "post": webhook_operation(
                    _content(Body(model=WebhookBody, example=WEBHOOK_EXAMPLE))
                )
            }
        },
        "components": {
            "securitySchemes": _security_schemes(),
            "parameters": dict(_path_parameters()),
            "responses": {
                _failure_name(dialect, status): _answer(failure)
                for dialect, described in DIALECTS.items()
                for status, failure in described.failures.items()
            },
            "schemas": _schemas()[1],
        },
    }
    return dict(json.loads(json.dumps(built)))


def methods(route: Route) -> tuple[str, ...]:
    """Return the methods that a route is described with."""
    return ANY_METHODS if route.method == "ANY" else (route.method,)


def documented_path(route: Route) -> str:
    """Return a route's path in OpenAPI, which knows no parameter for the rest of a path."""
    return route.path.replace("+}", "}")


def _introduction() -> dict[str, Any]:
    return {
        "info": {
            "title": "Penstock",
            "version": "1",
            "summary": "Asynchronous GPU inference that you own.",
            "description": (
                "Paths and bodies are those of the Baseten inference API. Paths without "
                "`/models/{model_id}` or `/chains/{chain_id}` are for hosts that name the model "
                "or chain: `model-{model_id}[-{environment}].<domain>`. Clients of Amazon "
                "SageMaker and of DataCrunch find their own paths."
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


def _operation(route: Route, method: str) -> dict[str, Any]:
    described = DIALECTS[route.dialect].operations[route.operation]
    path = documented_path(route)
    name = f"{method.lower()}_{path}" if route.method == "ANY" else f"{route.operation}{path}"
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", name).strip("_"),
        "tags": [route.operation],
        "summary": described.summary,
        "description": described.description,
        "parameters": [
            *(
                {"$ref": f"{_COMPONENTS}parameters/{_parameter_name(route.dialect, name)}"}
                for name in re.findall(r"{(\w+)}", path)
            ),
            *described.parameters,
        ],
        "responses": _responses(route.dialect, described),
    }
    if route.authorization == "signature":
        operation["security"] = [{"signature": []}]
    if described.body and method in _WITH_BODY:
        operation["requestBody"] = {
            "required": described.body.is_required,
            "content": _content(described.body),
        }
    return operation


def _responses(dialect: Dialect, described: OperationDescription) -> dict[str, Any]:
    failures = DIALECTS[dialect].failures
    everywhere = {status for status, failure in failures.items() if failure.is_everywhere}
    answers = {str(status): _answer(success) for status, success in described.successes.items()}
    for status in sorted({*described.errors, *everywhere}):
        if described.passed_on:
            answers[str(status)] = _answer(replace(failures[status], body=described.passed_on.body))
        else:
            reference = f"{_COMPONENTS}responses/{_failure_name(dialect, status)}"
            answers[str(status)] = {"$ref": reference}
    return answers | ({"default": _answer(described.passed_on)} if described.passed_on else {})


def _answer(answer: Answer) -> dict[str, Any]:
    built: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        built["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in answer.headers.items()
        }
    if answer.body:
        built["content"] = _content(answer.body)
    return built


def _content(body: Body) -> dict[str, Any]:
    schema = {"$ref": _schemas()[0][body.model]} if body.model else body.schema
    entry = {"schema": schema}
    as_json = entry if body.example is None else {**entry, "example": body.example}
    return {name: as_json if name == JSON else entry for name in body.content_types}


def _failure_name(dialect: Dialect, status: int) -> str:
    return dialect.capitalize() + DIALECTS[dialect].failures[status].name


def _parameter_name(dialect: Dialect, name: str) -> str:
    return f"{dialect}_{name}"


def _path_parameters() -> Iterator[tuple[str, dict[str, Any]]]:
    for dialect, described in DIALECTS.items():
        for name, text in described.path_parameters.items():
            yield (
                _parameter_name(dialect, name),
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "description": text,
                    "schema": {"type": "string"},
                },
            )


def _security_schemes() -> dict[str, Any]:
    in_header = {"type": "apiKey", "in": "header", "name": "Authorization"}
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "`Authorization: Bearer <key>`",
        },
        "apiKey": {**in_header, "description": "`Authorization: Api-Key <key>`"},
        "signature": {
            **in_header,
            "description": (
                "AWS Signature Version 4, service `sagemaker`, under an access key of "
                "`penstock keys create --sigv4`"
            ),
        },
    }


@cache
def _schemas() -> tuple[dict[type[BaseModel], str], dict[str, Any]]:
    """Return where the schema of each body lies, and all of them."""
    # What we send always has every key; what clients send may leave out those with a default.
    modes: dict[type[BaseModel], JsonSchemaMode] = {WebhookBody: "serialization"}
    for dialect in DIALECTS.values():
        answers: list[Answer] = list(dialect.failures.values())
        for described in dialect.operations.values():
            answers += described.successes.values()
            if described.body and described.body.model:
                modes[described.body.model] = "validation"
        found = (answer.body.model for answer in answers if answer.body)
        modes |= {model: "serialization" for model in found if model}
    template = _COMPONENTS + "schemas/{model}"
    references, schemas = models_json_schema(list(modes.items()), ref_template=template)
    where = {model: references[model, mode]["$ref"] for model, mode in modes.items()}
    return where, dict(sorted(schemas["$defs"].items()))


def main() -> None:
    """Print the document as YAML."""
    import yaml  # noqa: PLC0415 - only who builds the documentation has it

    yaml.safe_dump(document(), sys.stdout, sort_keys=False, allow_unicode=True, width=100)


if __name__ == "__main__":
    main()
