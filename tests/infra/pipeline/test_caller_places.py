"""What roles may do with the buckets and topics of callers, and that it fits into policies."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.artifacts.artifacts import Artifacts
from infra.components.attached_policies import attach
from infra.components.permissions import allow
from infra.components.pipeline.caller_places import CallerPlaces
from infra.program import declare as declare_stack
from infra.settings.model_settings import DeploymentSettings, ModelSettings
from infra.settings.models.caller_places import BUCKETS_LENGTH
from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError
from penstock.contracts.request_id import model_fingerprint
from tests.infra.conftest import Declare
from tests.infra.recording import Declared, record

INLINE_CHARACTERS = 10_240
"""Of all inline policies of a role, blanks not counted."""

MANAGED_CHARACTERS = 6_144
TOPICS = "arn:aws:sns:eu-west-1:123456789012:"
NAMED: dict[str, Any] = {
    "input_buckets": ["incoming", "archive"],
    "sagemaker": {
        "output_path": "s3://outgoing/done",
        "failure_path": "s3://outgoing/failed",
        "success_topic": f"{TOPICS}done",
        "error_topic": f"{TOPICS}failed",
    },
}
READING = {
    ("s3:GetObject", "arn:aws:s3:::incoming/*"),
    ("s3:GetObject", "arn:aws:s3:::archive/*"),
    ("s3:ListBucket", "arn:aws:s3:::incoming"),
    ("s3:ListBucket", "arn:aws:s3:::archive"),
}
FETCHING = {
    ("s3:GetObject", "arn:aws:s3:::outgoing/done/*"),
    ("s3:GetObject", "arn:aws:s3:::outgoing/failed/*"),
    ("s3:ListBucket", "arn:aws:s3:::outgoing"),
}
TELLING = {("sns:Publish", f"{TOPICS}done"), ("sns:Publish", f"{TOPICS}failed")}


def _deployment(**named: Any) -> DeploymentSettings:
    return DeploymentSettings.checked(
        {"image": "r@sha256:" + "0" * 64, "preset": "truss", "instance": "CPU:1x2", **named}
    )


def _stack(
    settings: StackSettings, artifacts: Artifacts, deployments: dict[str, DeploymentSettings]
) -> Declared:
    models = {name: ModelSettings(deployments={"v1": d}) for name, d in deployments.items()}
    changed = settings.model_copy(update={"models": models})
    return record(lambda: declare_stack(changed, artifacts))


def _granted(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
    def listed(value: Any) -> list[str]:
        return value if isinstance(value, list) else [value]

    return {(a, r) for s in statements for a in listed(s["Action"]) for r in listed(s["Resource"])}


def _attached(declared: Declared, process: str) -> set[tuple[str, str]]:
    """Return what the managed policies of a function's role grant."""
    role = declared.named(f"functions-{process}-role", "iam/role:Role").outputs["name"]
    arns = {
        a.inputs["policyArn"]
        for a in declared.of_type(":RolePolicyAttachment")
        if a.inputs["role"] == role
    }
    policies = [p for p in declared.of_type("iam/policy:Policy") if p.outputs["arn"] in arns]
    assert len(policies) == len(arns)
    return {grant for policy in policies for grant in _granted(policy.policy())}


def _compact(declared: Declared, name: str) -> int:
    statements = json.loads(declared.named(name, ":RolePolicy").inputs["policy"])
    return len(json.dumps(statements, separators=(",", ":")))


@pytest.fixture(scope="module")
def places(settings: StackSettings, artifacts: Artifacts) -> Declared:
    """A stack of one deployment that names places, and one that names none."""
    return _stack(settings, artifacts, {"far": _deployment(**NAMED), "near": _deployment()})


def test_a_worker_reads_inputs_and_writes_results_where_its_deployment_says(
    places: Declared,
) -> None:
    far, near = (
        _granted(places.named(f"{name}-v1-permissions", ":RolePolicy").policy())
        for name in ("far", "near")
    )

    of_its_own = ("far-v1", f"/{model_fingerprint('far')}*")
    own = {grant for grant in far if not any(part in grant[1] for part in of_its_own)}
    assert own - near == READING | FETCHING | TELLING | {
        ("s3:PutObject", "arn:aws:s3:::outgoing/done/*"),
        ("s3:PutObject", "arn:aws:s3:::outgoing/failed/*"),
        ("s3:DeleteObject", "arn:aws:s3:::outgoing/failed/*"),
        ("s3:AbortMultipartUpload", "arn:aws:s3:::outgoing/done/*"),
    }


@pytest.mark.parametrize(
    ("process", "granted"),
    [
        ("authorizer", set()),
        ("intake", READING),
        ("status", FETCHING),
        ("webhooks", set()),
        (
            "sweeper",
            FETCHING
            | TELLING
            | {
                ("s3:PutObject", "arn:aws:s3:::outgoing/failed/*"),
                ("s3:DeleteObject", "arn:aws:s3:::outgoing/failed/*"),
            },
        ),
    ],
)
def test_a_function_may_do_with_named_places_what_it_does(
    places: Declared, process: str, granted: set[tuple[str, str]]
) -> None:
    assert _attached(places, process) == granted


def test_a_function_runs_only_when_it_may_use_them(places: Declared) -> None:
    function = places.named("functions-intake-function", "lambda/function:Function")
    attached = {a.urn for a in places.of_type(":RolePolicyAttachment") if "intake" in a.name}

    assert attached
    assert attached <= function.depends_on


def test_a_stack_that_names_no_place_has_no_such_policy(stack: Declared) -> None:
    assert stack.of_type("iam/policy:Policy") == []


def test_the_catalog_knows_the_places(places: Declared) -> None:
    item = json.loads(places.named("far-entry", ":TableItem").inputs["item"])
    deployment = json.loads(item["model"]["S"])["deployments"]["far-v1"]

    assert deployment["input_buckets"] == ["incoming", "archive"]
    assert deployment["sagemaker"] == {**NAMED["sagemaker"], "include_response_in": []}


def test_signs_that_mean_more_in_policies_mean_themselves_there() -> None:
    place = "s3://outgoing/a*b?c${aws:username}"
    places = CallerPlaces.of([_deployment(sagemaker={"output_path": place})])

    objects = "arn:aws:s3:::outgoing/a${*}b${?}c${$}{aws:username}/*"
    assert ("s3:PutObject", objects) in _granted([dict(s) for s in places.statements_to_work()])


def test_fifty_deployments_with_buckets_of_their_own_fit_into_policies(declare: Declare) -> None:
    def own(number: int) -> DeploymentSettings:
        name = f"{number:02}" + "b" * 61
        folder = f"s3://{name}/{'f' * 40}"
        topic = f"{TOPICS}{number:02}{'t' * 60}"
        return _deployment(
            input_buckets=[name],
            sagemaker={
                "output_path": f"{folder}/done",
                "failure_path": f"{folder}/failed",
                "success_topic": topic,
                "error_topic": topic,
            },
        )

    places = CallerPlaces.of(map(own, range(50)))
    uses = {
        "intake": places.statements_to_read_inputs(),
        "status": places.statements_to_fetch(),
        "sweeper": places.statements_to_give_up(),
    }

    def program() -> None:
        for name, statements in uses.items():
            role = aws.iam.Role(name, assume_role_policy="{}")
            attach(name, role, statements, pulumi.ResourceOptions(parent=role))

    policies = declare(program).of_type("iam/policy:Policy")

    assert all(len(policy.inputs["policy"]) <= MANAGED_CHARACTERS for policy in policies)
    for name, statements in uses.items():
        written = [s for p in policies if p.name.startswith(name) for s in p.policy()]
        assert _granted(written) == _granted([dict(statement) for statement in statements])
        assert len({r for a, r in _granted(written) if a == "s3:ListBucket"}) == 50


def test_the_deployment_that_names_most_fits_into_its_roles_own_policy(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    buckets = [f"{n:02}" + "b" * 61 for n in range(BUCKETS_LENGTH)]
    folder = f"s3://{'o' * 63}/{'f' * 430}"
    fullest = _deployment(
        input_buckets=buckets,
        sagemaker={
            "output_path": f"{folder}/done",
            "failure_path": f"{folder}/failed",
            "success_topic": TOPICS + "s" * 256,
            "error_topic": TOPICS + "e" * 256,
        },
    )

    declared = _stack(settings, artifacts, {"m" * 40: fullest})

    assert _compact(declared, f"{'m' * 40}-v1-permissions") <= INLINE_CHARACTERS


def test_more_places_than_a_role_can_know_are_refused(declare: Declare) -> None:
    too_many = [allow("s3:GetObject", [f"arn:aws:s3:::{n:04}{'b' * 59}/*" for n in range(1_000)])]

    def program() -> None:
        role = aws.iam.Role("r", assume_role_policy="{}")
        attach("intake", role, too_many, pulumi.ResourceOptions(parent=role))

    with pytest.raises(SettingsError, match=r"need 1\d policies, and a role takes 10"):
        declare(program)
