"""The OpenAPI document."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from penstock.contracts.http.routes import ROUTES, Route
from penstock.dialects.openapi import document

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
    assert documented == {(route.method, route.path) for route in ROUTES}


def test_operations_have_ids_of_their_own(built: dict[str, Any]) -> None:
    ids = [method["operationId"] for path in built["paths"].values() for method in path.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_examples_match_their_schemas(built: dict[str, Any], route: Route) -> None:
    operation = built["paths"][route.path][route.method.lower()]
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += [body for body in operation["responses"].values() if "content" in body]
    bodies += built["components"]["responses"].values()
    bodies.append(built["webhooks"]["requestEnded"]["post"]["requestBody"])

    for body in bodies:
        content = body["content"]["application/json"]
        schema = {**content["schema"], "components": built["components"]}
        jsonschema.validate(content["example"], schema)
