"""The OpenAPI document."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from penstock.contracts.http.routes import ROUTES
from penstock.dialects.openapi import DIALECTS, document, documented_path, methods

WRITTEN = Path(__file__).parents[3] / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    return document()


def test_the_written_document_is_the_built_one(built: dict[str, Any]) -> None:
    assert yaml.safe_load(WRITTEN.read_text()) == built, "run `make docs`"


def test_the_document_is_valid(built: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(built).validate()


def test_exactly_the_routes_of_the_table_are_documented(built: dict[str, Any]) -> None:
    documented = {
        (method.upper(), path) for path, methods in built["paths"].items() for method in methods
    }
    assert documented == {
        (method, documented_path(route)) for route in ROUTES for method in methods(route)
    }


def test_operations_have_ids_of_their_own(built: dict[str, Any]) -> None:
    ids = [method["operationId"] for path in built["paths"].values() for method in path.values()]
    assert len(ids) == len(set(ids))


def test_every_operation_of_a_dialect_is_served_and_every_failure_answered() -> None:
    for dialect, described in DIALECTS.items():
        served = {route.operation for route in ROUTES if route.dialect is dialect}
        assert served == set(described.operations), dialect
        answered = {code for one in described.operations.values() for code in one.errors}
        everywhere = {code for code, one in described.failures.items() if one.is_everywhere}
        assert answered | everywhere == set(described.failures), dialect


def test_only_routes_that_are_signed_want_a_signature(built: dict[str, Any]) -> None:
    for route in ROUTES:
        for method in methods(route):
            operation = built["paths"][documented_path(route)][method.lower()]
            is_signed = operation.get("security") == [{"signature": []}]
            assert is_signed == (route.authorization == "signature")


def test_examples_match_their_schemas(built: dict[str, Any]) -> None:
    operations = [method for path in built["paths"].values() for method in path.values()]
    operations.append(built["webhooks"]["requestEnded"]["post"])
    bodies = [body for body in built["components"]["responses"].values() if "content" in body]
    for operation in operations:
        bodies += [operation["requestBody"]] if "requestBody" in operation else []
        bodies += [body for body in operation["responses"].values() if "content" in body]

    for body in bodies:
        if (content := body["content"].get("application/json")) is not None:
            schema = {**content["schema"], "components": built["components"]}
            jsonschema.validate(content["example"], schema)
