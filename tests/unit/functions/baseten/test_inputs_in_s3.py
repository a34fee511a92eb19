"""Payloads that do not come with the call."""

import pytest

from penstock.contracts.origin import InputLocation, Location
from penstock.contracts.request import Tenant
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World

SUBMIT = "/models/ocr/production/async_predict"


def submit(api: Api, location: str, tenant: str = "acme") -> int:
    body = f'{{"model_input_location": "{location}"}}'
    return api.call("POST", SUBMIT, body, tenant=tenant).status


def test_an_upload_is_prepared_with_its_content_type(api: Api) -> None:
    reply = api.call("POST", "/uploads", '{"content_type": "image/png"}')
    assert reply.status == 201
    assert reply.json["method"] == "PUT"
    assert reply.json["headers"]["Content-Type"] == "image/png"
    assert reply.json["url"].startswith("https://")
    assert reply.json["location"].startswith("s3://payloads/uploads/")
    assert reply.json["expires_in_seconds"] == 3_600


@pytest.mark.parametrize("body", [None, "{}"])
def test_an_upload_may_be_of_any_type(api: Api, body: str | None) -> None:
    reply = api.call("POST", "/uploads", body)
    assert reply.json["headers"]["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("body", ["[]", '{"content_type": "no type"}', '{"content_typ": "a/b"}'])
def test_an_unclear_upload_is_refused(api: Api, body: str) -> None:
    assert api.call("POST", "/uploads", body).status == 400


def test_an_upload_becomes_the_input_of_its_own_tenant_alone(api: Api, world: World) -> None:
    location = api.call("POST", "/uploads").json["location"]
    assert submit(api, location, tenant="other") == 400
    assert submit(api, location) == 201
    (message,) = world.waiting()
    assert message.location == InputLocation(**Location.parse(location).model_dump())


def test_a_bucket_that_the_deployment_does_not_allow_is_refused(api: Api, world: World) -> None:
    body = '{"model_input_location": "s3://elsewhere/key"}'
    reply = api.call("POST", SUBMIT, body)
    assert reply.status == 400
    assert "bucket elsewhere is not among the deployment's input_buckets" in reply.json["error"]
    assert world.requests.count_open(Tenant("acme"), 1) == 0
