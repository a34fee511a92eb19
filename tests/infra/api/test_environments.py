"""What infra tells a process is what the process reads."""

from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.workspace import ROOT
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings, TenantSettings
from penstock.contracts.environments import (
    AuthorizerEnvironment,
    DispatcherEnvironment,
    IntakeEnvironment,
    ProcessEnvironment,
    StatusEnvironment,
    SweeperEnvironment,
    WebhooksEnvironment,
)
from tests.infra.recording import Declared, record

FUNCTIONS: tuple[type[ProcessEnvironment], ...] = (
    AuthorizerEnvironment,
    IntakeEnvironment,
    StatusEnvironment,
    SweeperEnvironment,
    WebhooksEnvironment,
)
STANDARD = {"AWS_REGION", "POWERTOOLS_METRICS_NAMESPACE"}
"""Variables that libraries read."""


def _is_read(variables: dict[str, str], environment: type[ProcessEnvironment]) -> Any:
    """Return the environment as the process reads it; nothing may be left over."""
    known = {f"PENSTOCK_{name.upper()}" for name in environment.model_fields}
    assert set(variables) - known - STANDARD == set(), "nobody reads these"
    return environment.read(variables)


def test_every_function_of_the_repository_is_declared(stack: Declared) -> None:
    handlers = {path.parent.name for path in Path(ROOT, "functions").glob("*/handler.py")}
    declared = {f.inputs["handler"] for f in stack.of_type("lambda/function:Function")}

    assert handlers == {environment.process for environment in FUNCTIONS}
    assert declared == {f"functions.{name}.handler.handle" for name in handlers}


@pytest.mark.parametrize("environment", FUNCTIONS, ids=lambda e: e.process)
def test_a_function_reads_every_variable_it_is_given(
    stack: Declared, environment: type[ProcessEnvironment]
) -> None:
    function = stack.named(f"functions-{environment.process}-function", ":Function")

    _is_read(function.inputs["environment"]["variables"], environment)


def test_functions_are_told_names_that_exist(stack: Declared) -> None:
    exports = stack.returned
    named = {
        "requests_table": exports["requests_table"],
        "catalog_table": exports["catalog_table"],
        "api_keys_table": exports["api_keys_table"],
        "payloads_bucket": exports["payloads_bucket"],
        "results_bucket": exports["results_bucket"],
        "succeeded_topic": exports["succeeded_topic"],
        "failed_topic": exports["failed_topic"],
        "webhook_queue_url": exports["webhook_queue_url"],
        "signing_secret_id": exports["webhook_signing_secret_id"],
        "signing_master_secret_id": exports["signing_master_secret_id"],
    }
    for environment in FUNCTIONS:
        function = stack.named(f"functions-{environment.process}-function", ":Function")
        read = _is_read(function.inputs["environment"]["variables"], environment).model_dump()
        assert {k: read[k] for k in named if k in read} == {
            k: v for k, v in named.items() if k in read
        }


def test_limits_of_tenants_reach_the_functions(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    limits = TenantSettings(
        requests_per_second=50, outstanding_requests=9_000, status_calls_per_second=20
    )
    settings = settings.model_copy(update={"tenants": limits})
    stack = record(lambda: declare_stack(settings, artifacts))

    intake, status = (
        stack.named(f"functions-{name}-function", ":Function").inputs["environment"]["variables"]
        for name in ("intake", "status")
    )
    submitting, looking = IntakeEnvironment.read(intake), StatusEnvironment.read(status)
    assert submitting.tenant_requests_per_second == 50
    assert submitting.tenant_outstanding_requests == 9_000
    assert looking.tenant_calls_per_second == 20
    limits_table = stack.named("limits-table", ":Table").outputs["name"]
    assert submitting.limits_table == looking.limits_table == limits_table


@pytest.mark.spec("baseten", 6, 31)
def test_settings_reach_the_functions(stack: Declared) -> None:
    intake = stack.named("functions-intake-function", ":Function").inputs["environment"]
    webhooks = stack.named("functions-webhooks-function", ":Function").inputs["environment"]

    assert IntakeEnvironment.read(intake["variables"]).max_payload_bytes == 262_144
    assert IntakeEnvironment.read(intake["variables"]).allow_local_webhooks is False
    delivering = WebhooksEnvironment.read(webhooks["variables"])
    assert (delivering.max_attempts, delivering.timeout_seconds) == (8, 10)


def test_a_dispatcher_reads_every_variable_it_is_given(stack: Declared) -> None:
    pods = stack.of_type("apps/v1:Deployment")

    assert {pod.inputs["metadata"]["name"] for pod in pods} == {"ocr-v1", "ocr-v2", "echo-v1"}
    for pod in pods:
        containers = pod.inputs["spec"]["template"]["spec"]["containers"]
        given = next(c["env"] for c in containers if c["name"] == "dispatcher")
        read = _is_read({v["name"]: v["value"] for v in given}, DispatcherEnvironment)
        assert read.deployment_id == pod.inputs["metadata"]["name"]
        assert read.requests_table == stack.returned["requests_table"]
        assert read.payloads_bucket == stack.returned["payloads_bucket"]
        assert read.results_bucket == stack.returned["results_bucket"]
        assert read.succeeded_topic == stack.returned["succeeded_topic"]
        assert read.failed_topic == stack.returned["failed_topic"]
