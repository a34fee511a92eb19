"""The HTTP API is the table of routes, guarded, logged and throttled."""

import json
from collections import Counter

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.components.api import routes
from infra.program import declare as declare_stack
from infra.settings.api.api_settings import ApiSettings
from infra.settings.stack_settings import StackSettings
from penstock.contracts.http.baseten import ErrorBody
from penstock.contracts.http.routes import ROUTES, Route
from tests.infra.recording import Declared, Registered, record


@pytest.fixture(scope="module")
def grown(settings: StackSettings, artifacts: Artifacts) -> Declared:
    """A stack with a route of every kind."""
    more = (
        Route("POST", "/endpoints/{name}/calls", "intake", "a", authorization="signature"),
        Route("ANY", "/boxes/{box}/{path+}", "intake", "b"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routes, "ROUTES", (*ROUTES, *more))
        return record(lambda: declare_stack(settings, artifacts))


def _path_of(stack: Declared, resource_id: str) -> str:
    if resource_id == "root":
        return ""
    resource = next(
        r for r in stack.of_type("apigateway/resource:Resource") if f"{r.name}-id" == resource_id
    )
    return f"{_path_of(stack, resource.inputs['parentId'])}/{resource.inputs['pathPart']}"


def _key(stack: Declared, resource: Registered) -> tuple[str, str]:
    return resource.inputs["httpMethod"], _path_of(stack, resource.inputs["resourceId"])


def test_every_route_is_declared_and_no_other(stack: Declared) -> None:
    declared = [_key(stack, method) for method in stack.of_type("apigateway/method:Method")]

    assert sorted(declared) == sorted((route.method, route.path) for route in ROUTES)


def test_every_route_calls_its_function(stack: Declared) -> None:
    called = {}
    for integration in stack.of_type("apigateway/integration:Integration"):
        assert integration.inputs["type"] == "AWS_PROXY"
        assert integration.inputs["integrationHttpMethod"] == "POST"
        called[_key(stack, integration)] = integration.inputs["uri"]

    invoke_arn = {
        name: stack.named(f"functions-{name}-live", ":Alias").outputs["invokeArn"]
        for name in ("intake", "status")
    }
    assert called == {(r.method, r.path): invoke_arn[r.function] for r in ROUTES}


def test_nobody_calls_without_a_key(stack: Declared) -> None:
    (authorizer,) = stack.of_type("apigateway/authorizer:Authorizer")
    alias = stack.named("functions-authorizer-live", ":Alias")

    assert authorizer.inputs["type"] == "REQUEST"
    assert authorizer.inputs["identitySource"] == "method.request.header.Authorization"
    assert authorizer.inputs["authorizerResultTtlInSeconds"] == 60
    assert authorizer.inputs["authorizerUri"] == alias.outputs["invokeArn"]
    by_key = {(r.method, r.path) for r in ROUTES if r.authorization == "key"}
    assert len(by_key) > 10
    for method in stack.of_type("apigateway/method:Method"):
        if _key(stack, method) in by_key:
            assert method.inputs["authorization"] == "CUSTOM"
            assert method.inputs["authorizerId"] == "api-authorizer-id"


def test_what_no_authorizer_can_judge_is_left_to_the_function(grown: Declared) -> None:
    methods = {_key(grown, m): m.inputs for m in grown.of_type("apigateway/method:Method")}

    signed = methods["POST", "/endpoints/{name}/calls"]
    assert signed["authorization"] == "NONE"
    assert "authorizerId" not in signed


def test_a_greedy_route_takes_the_rest_of_the_path_with_any_method(grown: Declared) -> None:
    methods = {_key(grown, m): m.inputs for m in grown.of_type("apigateway/method:Method")}

    assert methods["ANY", "/boxes/{box}/{path+}"]["requestParameters"] == {
        "method.request.path.box": True,
        "method.request.path.path": True,
    }


def test_bodies_pass_byte_by_byte(stack: Declared) -> None:
    (api,) = stack.of_type(":RestApi")

    assert api.inputs["binaryMediaTypes"] == ["*/*"]


def test_a_body_fits_into_the_event_of_a_function() -> None:
    (limit,) = [
        m.le for m in ApiSettings.model_fields["max_payload_bytes"].metadata if hasattr(m, "le")
    ]
    in_base64 = -(-limit // 3) * 4

    assert in_base64 + 256 * 1024 < 6 * 1024 * 1024  # the rest is for headers, which come twice


def test_the_routes_are_fewer_than_api_gateway_allows(stack: Declared) -> None:
    # Without a quota increase an API has 300 resources, its root included.
    assert len(stack.of_type("apigateway/resource:Resource")) < 300


def test_no_two_variables_stand_beside_each_other(stack: Declared) -> None:
    """API Gateway refuses a second variable below the same path, whatever its name."""
    variables = Counter(
        r.inputs["parentId"]
        for r in stack.of_type("apigateway/resource:Resource")
        if r.inputs["pathPart"].startswith("{")
    )

    assert [parent for parent, count in variables.items() if count > 1] == []


@pytest.mark.parametrize(
    ("function", "source"),
    [("authorizer", "/authorizers/api-authorizer-id"), ("intake", "/*/*"), ("status", "/*/*")],
)
def test_only_this_api_may_call_the_functions(stack: Declared, function: str, source: str) -> None:
    permission = stack.named(f"functions-{function}-permission", ":Permission").inputs

    assert permission["principal"] == "apigateway.amazonaws.com"
    assert permission["qualifier"] == "live"
    assert permission["sourceArn"] == stack.of_type(":RestApi")[0].outputs["executionArn"] + source


@pytest.mark.spec("baseten", 2, 7)
def test_what_api_gateway_itself_answers_is_json_like_ours(stack: Declared) -> None:
    answers = {r.inputs["responseType"]: r.inputs for r in stack.of_type("/response:Response")}
    statuses = {kind: answer.get("statusCode") for kind, answer in answers.items()}

    assert statuses == {
        "UNAUTHORIZED": "401",
        "ACCESS_DENIED": "403",
        "MISSING_AUTHENTICATION_TOKEN": "404",
        "RESOURCE_NOT_FOUND": "404",
        "REQUEST_TOO_LARGE": "413",
        "THROTTLED": "429",
        "QUOTA_EXCEEDED": "429",
        "INTEGRATION_TIMEOUT": "504",
        "WAF_FILTERED": None,
        "DEFAULT_4XX": None,
        "DEFAULT_5XX": None,
    }
    codes = {}
    for kind, answer in answers.items():
        template = answer["responseTemplates"]["application/json"]
        # API Gateway puts a quoted string there.
        body = ErrorBody.model_validate_json(
            template.replace("$context.error.messageString", '"Bad request"')
        )
        assert body.error
        assert body.error_code
        codes[kind] = body.error_code
    assert (codes["UNAUTHORIZED"], codes["THROTTLED"]) == ("unauthorized", "rate_limited")


def test_a_deployment_waits_for_all_it_deploys(stack: Declared) -> None:
    (deployment,) = stack.of_type("apigateway/deployment:Deployment")
    kinds = ("method:Method", "integration:Integration", "response:Response", ":Authorizer")
    parts = {r.urn for kind in kinds for r in stack.of_type(kind) if "apigateway" in r.type}

    assert len(parts) > 2 * len(ROUTES)
    assert parts <= deployment.depends_on


def test_a_changed_route_is_deployed(
    stack: Declared,
    settings: StackSettings,
    artifacts: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (before,) = stack.of_type("apigateway/deployment:Deployment")
    changed = (ROUTES[0]._replace(function="status"), *ROUTES[1:])
    monkeypatch.setattr(routes, "ROUTES", changed)

    again = record(lambda: declare_stack(settings, artifacts))

    (after,) = again.of_type("apigateway/deployment:Deployment")
    assert before.inputs["triggers"] != after.inputs["triggers"]


def test_the_same_api_is_not_deployed_twice(
    stack: Declared, settings: StackSettings, artifacts: Artifacts
) -> None:
    again = record(lambda: declare_stack(settings, artifacts))

    triggers = [
        d.of_type("apigateway/deployment:Deployment")[0].inputs["triggers"] for d in (stack, again)
    ]
    assert triggers[0] == triggers[1]


def test_calls_are_logged_traced_and_throttled(stack: Declared) -> None:
    (stage,) = stack.of_type("apigateway/stage:Stage")
    (limits,) = stack.of_type(":MethodSettings")
    logs = stack.named("api-access-logs", ":LogGroup")

    entry = json.loads(stage.inputs["accessLogSettings"]["format"])
    assert entry["request_id"] == "$context.requestId"
    assert entry["tenant"] == "$context.authorizer.tenant"
    assert stage.inputs["accessLogSettings"]["destinationArn"] == logs.outputs["arn"]
    assert stage.inputs["xrayTracingEnabled"] is True
    assert limits.inputs["methodPath"] == "*/*"
    assert limits.inputs["settings"]["throttlingRateLimit"] == 200
    assert limits.inputs["settings"]["throttlingBurstLimit"] == 400


def test_the_accounts_log_role_is_left_alone_when_another_stack_sets_it(
    stack: Declared, settings: StackSettings, artifacts: Artifacts
) -> None:
    api = settings.api.model_copy(update={"sets_account_log_role": False})
    other = settings.model_copy(update={"api": api})

    again = record(lambda: declare_stack(other, artifacts))

    (stage,) = stack.of_type("apigateway/stage:Stage")
    assert {r.urn for r in stack.of_type(":Account")} <= stage.depends_on
    assert len(stack.of_type(":Account")) == 1
    assert again.of_type(":Account") == []
