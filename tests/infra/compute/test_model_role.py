"""A model that uses AWS does so with a role of its own, handed to its container alone."""

from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.model_settings import ModelSettings
from infra.settings.stack_settings import StackSettings
from penstock.contracts.environments import ModelCredentialsEnvironment
from tests.infra.manifests import check_manifest
from tests.infra.recording import Declared, record

ROLE = "arn:aws:iam::123456789012:role/ocr-archive"
TOKEN_FILE = "/run/penstock/model-credentials/token"  # noqa: S105 - where it lies


@pytest.fixture(scope="module")
def with_role(settings: StackSettings, artifacts: Artifacts) -> Declared:
    """A stack of one model, which has a role."""
    deployment = settings.models["echo"].deployments["v1"].model_copy(update={"model_role": ROLE})
    models = {"echo": ModelSettings(deployments={"v1": deployment})}
    changed = settings.model_copy(update={"models": models})
    return record(lambda: declare_stack(changed, artifacts))


def _pod(stack: Declared) -> dict[str, Any]:
    workers = stack.named("echo-v1-workers", "apps/v1:Deployment").inputs
    template: dict[str, Any] = workers["spec"]["template"]
    return template


def _containers(stack: Declared) -> dict[str, dict[str, Any]]:
    spec = _pod(stack)["spec"]
    return {each["name"]: each for each in (*spec["initContainers"], *spec["containers"])}


def _told(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


def test_a_worker_may_assume_the_role_of_its_model_and_no_other(
    with_role: Declared, stack: Declared
) -> None:
    def assumed(declared: Declared) -> list[dict[str, Any]]:
        statements = declared.named("echo-v1-permissions", ":RolePolicy").policy()
        return [each for each in statements if "sts:AssumeRole" in each["Action"]]

    assert assumed(with_role) == [
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Resource": ROLE,
        }
    ]
    assert assumed(stack) == []


def test_the_credentials_are_there_before_the_model_starts_and_until_it_has_ended(
    with_role: Declared,
) -> None:
    sidecars = _pod(with_role)["spec"]["initContainers"]

    # Kubernetes starts sidecars in this order, each when the one before is up, and ends them in
    # the other.
    assert [each["name"] for each in sidecars] == ["model-credentials", "model-server"]
    assert [each["restartPolicy"] for each in sidecars] == ["Always", "Always"]
    assert sidecars[0]["startupProbe"]["httpGet"] == {"path": "/healthz", "port": 9_091}


def test_the_model_is_told_where_and_is_passed_by_when_credentials_are_injected(
    with_role: Declared,
) -> None:
    containers = _containers(with_role)
    told = _told(containers["model-server"])

    assert {name: value for name, value in told.items() if name.startswith("AWS_")} == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9092/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": TOKEN_FILE,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    annotations = _pod(with_role)["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/skip-containers"] == "model-server"
    environment = ModelCredentialsEnvironment.read(_told(containers["model-credentials"]))
    assert (environment.model_role, environment.token_file) == (ROLE, TOKEN_FILE)
    assert (environment.credentials_port, environment.port) == (9_092, 9_091)


def test_the_token_is_kept_in_memory_and_only_the_model_server_reads_it(
    with_role: Declared,
) -> None:
    mounts = {
        (name, mount.get("readOnly", False))
        for name, container in _containers(with_role).items()
        for mount in container["volumeMounts"]
        if mount["name"] == "model-credentials"
    }
    volumes = {each["name"]: each for each in _pod(with_role)["spec"]["volumes"]}

    assert mounts == {("model-credentials", False), ("model-server", True)}
    assert volumes["model-credentials"]["emptyDir"]["medium"] == "Memory"


def test_a_pod_asks_for_no_more_than_without_a_role(with_role: Declared, stack: Declared) -> None:
    def asked(declared: Declared) -> tuple[int, int]:
        requests = [each["resources"]["requests"] for each in _containers(declared).values()]
        return (
            sum(int(each["cpu"].removesuffix("m")) for each in requests),
            sum(int(each["memory"].removesuffix("Mi")) for each in requests),
        )

    assert asked(with_role) == asked(stack)


@pytest.mark.parametrize("version", ["1.33", "1.35"])
def test_a_pod_with_a_role_is_valid(with_role: Declared, version: str) -> None:
    check_manifest(with_role.named("echo-v1-workers", "apps/v1:Deployment").inputs, version)


def test_without_a_role_a_model_is_told_nothing_of_aws(stack: Declared) -> None:
    containers = _containers(stack)

    assert "model-credentials" not in containers
    assert not [name for name in _told(containers["model-server"]) if name.startswith("AWS_")]
