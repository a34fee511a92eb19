"""Every deployment has its queues, and everybody means the same ones."""

import json
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.components.custody.custody import Custody
from infra.components.pipeline.request_queues import RequestQueues, RequestQueuesArgs
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.submission import Target
from tests.infra.conftest import Declare
from tests.infra.recording import ACCOUNT, REGION, Declared, Registered, record

DEPLOYMENTS = ("ocr-v1", "ocr-v2", "echo-v1")


def _catalog(stack: Declared) -> dict[str, Model]:
    items = [json.loads(item.inputs["item"]) for item in stack.of_type(":TableItem")]
    models = {i["model_id"]["S"]: Model.model_validate_json(i["model"]["S"]) for i in items}
    assert all(model_id == model.model_id for model_id, model in models.items())
    return models


def _deployment(stack: Declared, deployment_id: str) -> Deployment:
    found = [m.deployments for m in _catalog(stack).values() if deployment_id in m.deployments]
    assert len(found) == 1
    return found[0][deployment_id]


def _lanes(stack: Declared, deployment_id: str) -> list[Registered]:
    return [stack.named(f"{deployment_id}-p{priority}", "sqs/queue:Queue") for priority in range(3)]


def test_the_catalog_holds_every_model_of_the_settings(
    stack: Declared, settings: StackSettings
) -> None:
    (table,) = {item.inputs["tableName"] for item in stack.of_type(":TableItem")}

    assert table == stack.returned["catalog_table"]
    assert {m.model_id: m.environments for m in _catalog(stack).values()} == {
        "ocr": {"production": "ocr-v1", "staging": "ocr-v2"},
        "echo": {"production": "echo-v1"},
    }
    for model_id, model in settings.models.items():
        expected = {f"{model_id}-{name}" for name in model.deployments}
        assert set(_catalog(stack)[model_id].deployments) == expected


def test_a_chain_is_another_address_of_a_models_deployments(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    changed = settings.model_copy(update={"chains": {"scan": "ocr", "again": "ocr"}})

    catalog = _catalog(record(lambda: declare_stack(changed, artifacts)))

    assert set(catalog) == {"ocr", "echo", "chain:scan", "chain:again"}
    assert catalog["ocr"].chain_id is None
    scan = catalog["chain:scan"]
    assert scan.chain_id == "scan"
    assert (scan.environments, scan.deployments) == (
        catalog["ocr"].environments,
        catalog["ocr"].deployments,
    )
    assert scan.resolve(Target(model_id="chain:scan")).deployment_id == "ocr-v1"


@pytest.mark.parametrize("deployment_id", DEPLOYMENTS)
def test_the_catalog_names_the_deployments_queues(stack: Declared, deployment_id: str) -> None:
    deployment = _deployment(stack, deployment_id)
    dead_letters = stack.named(f"{deployment_id}-dead-letters", "sqs/queue:Queue")

    assert list(deployment.queue_urls) == [q.outputs["url"] for q in _lanes(stack, deployment_id)]
    assert deployment.dead_letter_queue_url == dead_letters.outputs["url"]


@pytest.mark.parametrize("deployment_id", DEPLOYMENTS)
def test_poisoned_messages_end_in_the_deployments_dead_letter_queue(
    stack: Declared, deployment_id: str
) -> None:
    deployment = _deployment(stack, deployment_id)
    dead_letters = stack.by_output("sqs/queue:Queue", "url", deployment.dead_letter_queue_url)

    for url in deployment.queue_urls:
        queue = stack.by_output("sqs/queue:Queue", "url", url)
        assert json.loads(queue.inputs["redrivePolicy"]) == {
            "deadLetterTargetArn": dead_letters.outputs["arn"],
            "maxReceiveCount": 1_000,
        }
        # A dead letter keeps its age, so it must be allowed to get as old as a request.
        assert (
            dead_letters.inputs["messageRetentionSeconds"]
            >= queue.inputs["messageRetentionSeconds"]
            == 14 * 86_400
        )
    assert "redrivePolicy" not in dead_letters.inputs
    allowed = json.loads(
        stack.named(f"{deployment_id}-redrive", ":RedriveAllowPolicy").inputs["redriveAllowPolicy"]
    )
    assert allowed == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [q.outputs["arn"] for q in _lanes(stack, deployment_id)],
    }


@pytest.mark.parametrize("deployment_id", DEPLOYMENTS)
def test_the_dispatcher_reads_the_queues_of_its_deployment(
    stack: Declared, deployment_id: str
) -> None:
    pod = stack.named(f"{deployment_id}-workers", "apps/v1:Deployment").inputs
    containers = pod["spec"]["template"]["spec"]["containers"]
    env = {v["name"]: v["value"] for c in containers for v in c["env"]}

    told = [env[f"PENSTOCK_QUEUE_URL_P{priority}"] for priority in range(3)]
    assert told == list(_deployment(stack, deployment_id).queue_urls)
    buried_in = env["PENSTOCK_DEAD_LETTER_QUEUE_URL"]
    assert buried_in == _deployment(stack, deployment_id).dead_letter_queue_url


@pytest.mark.parametrize("deployment_id", DEPLOYMENTS)
def test_keda_scales_on_the_queues_of_the_deployment(stack: Declared, deployment_id: str) -> None:
    spec = stack.named(f"{deployment_id}-scaling", ":ScaledObject").inputs["spec"]
    urls = [t["metadata"]["queueURL"] for t in spec["triggers"] if t["type"] == "aws-sqs-queue"]

    assert urls == list(_deployment(stack, deployment_id).queue_urls)


@pytest.mark.parametrize("deployment_id", DEPLOYMENTS)
def test_the_dispatcher_may_use_the_queues_of_its_deployment_only(
    stack: Declared, deployment_id: str
) -> None:
    statements = stack.named(f"{deployment_id}-permissions", ":RolePolicy").policy()

    working, burying = [s for s in statements if "sqs:" in str(s["Action"])]
    assert set(working["Action"]) == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:SendMessage",
    }
    assert working["Resource"] == [q.outputs["arn"] for q in _lanes(stack, deployment_id)]
    dead_letters = stack.named(f"{deployment_id}-dead-letters", "sqs/queue:Queue")
    assert burying["Action"] == "sqs:SendMessage"
    assert burying["Resource"] == dead_letters.outputs["arn"]


def test_request_queues_carry_the_tag_that_permissions_go_by(stack: Declared) -> None:
    tagged = {
        queue.name
        for queue in stack.of_type("sqs/queue:Queue")
        if queue.inputs.get("tags") == {"penstock:requests-of": "test"}
    }

    assert tagged == {f"{d}-p{priority}" for d in DEPLOYMENTS for priority in range(3)}


def test_dead_letters_carry_a_tag_of_their_own(stack: Declared) -> None:
    tagged = {
        queue.name
        for queue in stack.of_type("sqs/queue:Queue")
        if queue.inputs.get("tags") == {"penstock:dead-letters-of": "test"}
    }

    assert tagged == {f"{d}-dead-letters" for d in DEPLOYMENTS}


def test_every_queue_is_encrypted_polled_patiently_and_closed_to_others(
    stack: Declared,
) -> None:
    policies: dict[str, list[dict[str, Any]]] = {
        p.inputs["queueUrl"]: p.policy() for p in stack.of_type(":QueuePolicy")
    }
    for queue in stack.of_type("sqs/queue:Queue"):
        assert queue.inputs["sqsManagedSseEnabled"] is True
        assert queue.inputs["receiveWaitTimeSeconds"] == 20
        refusals = [s for s in policies[queue.outputs["url"]] if s["Effect"] == "Deny"]
        assert [s["Sid"] for s in refusals] == ["RefusePlainHttp", "RefuseOtherAccounts"]
        assert {s["Resource"] for s in refusals} == {queue.outputs["arn"]}


@pytest.mark.parametrize(("lease_seconds", "hidden"), [(10, 60), (30, 60), (120, 120)])
def test_a_message_stays_hidden_for_a_lease_at_least(
    declare: Declare, lease_seconds: int, hidden: int
) -> None:
    custody = Custody(account_id=ACCOUNT, region=REGION)
    args = RequestQueuesArgs(stack="test", custody=custody, lease_seconds=lease_seconds)

    declared = declare(lambda: RequestQueues("m", args).dead_letter_queue_url)

    queue = declared.named("m-p0", "sqs/queue:Queue")
    assert queue.inputs["visibilityTimeoutSeconds"] == hidden
