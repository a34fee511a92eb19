"""How functions run and what each may do."""

from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare
from infra.settings.stack_settings import StackSettings
from penstock.contracts.environments import IntakeEnvironment
from tests.infra.recording import ACCOUNT, REGION, Declared, record

PROCESSES = ("authorizer", "intake", "status", "webhooks", "sweeper")
ALL_REQUEST_QUEUES = {"StringEquals": {"aws:ResourceTag/penstock:requests-of": "test"}}


def _grants(stack: Declared, process: str) -> set[tuple[str, str]]:
    """Return (action, resource) of a function's role, less logs and traces."""
    statements = stack.named(f"functions-{process}-permissions", ":RolePolicy").policy()
    return {
        (action, resource)
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if not action.startswith(("logs:", "xray:"))
    }


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:{name}-table"


PAYLOADS = "arn:aws:s3:::store-payloads-bucket"
RESULTS = "arn:aws:s3:::store-results-bucket"
FETCHING = {
    ("s3:GetObject", f"{RESULTS}/results/*"),
    ("s3:GetObject", f"{RESULTS}/failures/*"),
    ("s3:ListBucket", RESULTS),  # without it S3 answers 403 for what has passed away
}
SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}"
QUEUES = f"arn:aws:sqs:us-east-1:{ACCOUNT}:*"
WEBHOOK_QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:notifications-webhooks"
EXPECTED = {
    "authorizer": {("dynamodb:GetItem", _table("api-keys"))},
    "intake": {
        ("dynamodb:GetItem", _table("catalog")),
        ("dynamodb:PutItem", _table("requests")),
        ("dynamodb:GetItem", _table("requests")),
        ("dynamodb:UpdateItem", _table("requests")),
        ("dynamodb:Query", f"{_table('requests')}/index/open"),
        ("dynamodb:GetItem", _table("api-keys")),
        ("dynamodb:UpdateItem", _table("limits")),
        ("s3:PutObject", f"{PAYLOADS}/payloads/*"),
        ("s3:GetObject", f"{PAYLOADS}/payloads/*"),
        ("s3:PutObject", f"{PAYLOADS}/uploads/*"),
        ("s3:GetObject", f"{PAYLOADS}/uploads/*"),
        ("s3:ListBucket", PAYLOADS),
        ("sqs:SendMessage", QUEUES),
        ("secretsmanager:GetSecretValue", f"{SECRETS}:access-key-master-secret"),
    }
    | FETCHING,
    "status": {
        ("dynamodb:GetItem", _table("catalog")),
        ("dynamodb:GetItem", _table("requests")),
        ("dynamodb:UpdateItem", _table("requests")),
        ("dynamodb:BatchGetItem", _table("requests")),
        ("dynamodb:Query", f"{_table('requests')}/index/caller"),
        ("dynamodb:Query", f"{_table('requests')}/index/listed"),
        ("dynamodb:UpdateItem", _table("limits")),
        ("sqs:GetQueueAttributes", QUEUES),
    }
    | FETCHING,
    "webhooks": {
        ("dynamodb:GetItem", _table("requests")),
        ("dynamodb:UpdateItem", _table("requests")),
        ("sqs:ReceiveMessage", WEBHOOK_QUEUE),
        ("sqs:DeleteMessage", WEBHOOK_QUEUE),
        ("sqs:ChangeMessageVisibility", WEBHOOK_QUEUE),
        ("sqs:GetQueueAttributes", WEBHOOK_QUEUE),
        ("sqs:SendMessage", f"{WEBHOOK_QUEUE}-dead-letters"),
        ("secretsmanager:GetSecretValue", f"{SECRETS}:webhook-signing-secret"),
        ("s3:GetObject", f"{RESULTS}/results/*"),
        ("s3:ListBucket", RESULTS),
    },
    "sweeper": {
        ("dynamodb:GetItem", _table("catalog")),
        ("dynamodb:Scan", _table("catalog")),
        ("dynamodb:GetItem", _table("requests")),
        ("dynamodb:UpdateItem", _table("requests")),
        ("dynamodb:BatchGetItem", _table("requests")),
        ("dynamodb:Query", f"{_table('requests')}/index/sweep"),
        ("s3:PutObject", f"{RESULTS}/failures/*"),
        ("s3:DeleteObject", f"{RESULTS}/failures/*"),
        ("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:notifications-succeeded"),
        ("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:notifications-failed"),
        ("sqs:GetQueueAttributes", QUEUES),
        ("sqs:ReceiveMessage", QUEUES),
        ("sqs:ChangeMessageVisibility", QUEUES),
    }
    | FETCHING,
}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_function_may_do_what_it_does_and_nothing_else(stack: Declared, process: str) -> None:
    assert _grants(stack, process) == EXPECTED[process]


@pytest.mark.parametrize("process", ["intake", "status"])
def test_request_queues_are_reached_by_the_tag_of_their_stack(
    stack: Declared, process: str
) -> None:
    statements = stack.named(f"functions-{process}-permissions", ":RolePolicy").policy()

    (sqs,) = [s for s in statements if s["Resource"] == QUEUES]
    assert sqs["Condition"] == ALL_REQUEST_QUEUES


def test_the_sweeper_may_count_requests_and_read_dead_letters_but_not_the_other_way(
    stack: Declared,
) -> None:
    statements = stack.named("functions-sweeper-permissions", ":RolePolicy").policy()

    by_tag = {
        next(iter(s["Condition"]["StringEquals"])): _listed(s["Action"])
        for s in statements
        if s["Resource"] == QUEUES
    }
    assert by_tag == {
        "aws:ResourceTag/penstock:requests-of": ["sqs:GetQueueAttributes"],
        "aws:ResourceTag/penstock:dead-letters-of": [
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:ChangeMessageVisibility",
        ],
    }


def test_the_sweeper_is_called_every_minute_by_a_role_that_can_do_nothing_else(
    stack: Declared,
) -> None:
    (schedule,) = stack.of_type("scheduler/schedule:Schedule")
    target, alias = schedule.inputs["target"], stack.named("functions-sweeper-live", ":Alias")
    role = stack.by_output("iam/role:Role", "arn", target["roleArn"])
    (permitted,) = [
        policy
        for policy in stack.of_type(":RolePolicy")
        if policy.inputs["role"] == role.outputs["name"]
    ]
    function = stack.named("functions-sweeper-function", ":Function").inputs

    assert schedule.inputs["scheduleExpression"] == "rate(1 minute)"
    assert schedule.inputs["flexibleTimeWindow"] == {"mode": "OFF"}
    assert target["arn"] == alias.outputs["arn"]
    assert permitted.policy() == [
        {
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": alias.outputs["arn"],
        }
    ]
    (trusted,) = role.policy("assumeRolePolicy")
    assert trusted["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert function["timeout"] < 60


@pytest.mark.parametrize("process", ["intake", "status"])
def test_a_function_may_wait_as_long_as_api_gateway_does(stack: Declared, process: str) -> None:
    function = stack.named(f"functions-{process}-function", ":Function").inputs
    waits = {i.inputs["timeoutMilliseconds"] for i in stack.of_type("integration:Integration")}

    assert waits == {1_000 * function["timeout"]}
    assert IntakeEnvironment.model_fields["wait_seconds"].default + 2 < function["timeout"]


@pytest.mark.parametrize("process", PROCESSES)
def test_a_function_logs_json_for_a_limited_time_and_is_traced(
    stack: Declared, process: str
) -> None:
    function = stack.named(f"functions-{process}-function", ":Function").inputs
    logs = stack.named(f"functions-{process}-logs", ":LogGroup")

    assert function["loggingConfig"] == {"logFormat": "JSON", "logGroup": logs.outputs["name"]}
    assert logs.inputs["retentionInDays"] == 30
    assert function["tracingConfig"] == {"mode": "Active"}
    assert (function["runtime"], function["architectures"]) == ("python3.13", ["arm64"])


@pytest.mark.parametrize("process", PROCESSES)
def test_everything_calls_the_published_version(stack: Declared, process: str) -> None:
    function = stack.named(f"functions-{process}-function", ":Function")
    alias = stack.named(f"functions-{process}-live", ":Alias").inputs

    assert function.inputs["publish"] is True
    assert alias["functionName"] == function.outputs["name"]
    assert alias["functionVersion"] == function.outputs["version"]


def test_functions_that_somebody_waits_for_may_start_from_snapshots(
    stack: Declared, settings: StackSettings, artifacts: Artifacts
) -> None:
    api = settings.api.model_copy(update={"snap_start": True})
    fast = record(lambda: declare(settings.model_copy(update={"api": api}), artifacts))

    def from_snapshots(declared: Declared) -> set[str]:
        functions = {p: declared.named(f"functions-{p}-function", ":Function") for p in PROCESSES}
        published = {"applyOn": "PublishedVersions"}
        return {p for p, f in functions.items() if f.inputs.get("snapStart") == published}

    assert from_snapshots(stack) == set()
    assert from_snapshots(fast) == {"authorizer", "intake", "status"}


def test_webhooks_are_taken_from_their_queue_a_few_at_a_time(stack: Declared) -> None:
    (source,) = stack.of_type(":EventSourceMapping")
    queue = stack.named("notifications-webhooks", ":Queue")
    function = stack.named("functions-webhooks-function", ":Function")

    assert source.inputs["eventSourceArn"] == queue.outputs["arn"]
    assert (
        source.inputs["functionName"]
        == stack.named("functions-webhooks-live", ":Alias").outputs["arn"]
    )
    assert source.inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source.inputs["scalingConfig"]["maximumConcurrency"] >= 2
    # Each receiver has 10 s, and AWS wants six timeouts between two receives.
    assert function.inputs["timeout"] > source.inputs["batchSize"] * 10
    assert queue.inputs["visibilityTimeoutSeconds"] >= 6 * function.inputs["timeout"]
