"""The workflows run what a laptop runs, and previews are held to the policies."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def jobs(workflow: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    return found


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(workflow).values() for step in job["steps"]]


def commands(workflow: Path) -> str:
    return "\n".join(step.get("run", "") for step in steps(workflow))


def workflow(name: str) -> Path:
    return ROOT / ".github" / "workflows" / name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_step_lives_only_in_a_workflow(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"make ([a-z-]+)", commands(path))) <= targets


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_ends_and_may_do_little(path: Path) -> None:
    permissions = yaml.safe_load(path.read_text())["permissions"]

    assert permissions.get("contents") == "read"
    assert set(permissions) <= {"contents", "id-token"}
    assert all(job["timeout-minutes"] for job in jobs(path).values())


def test_ci_checks_and_tests() -> None:
    assert set(re.findall(r"make ([a-z-]+)", commands(workflow("ci.yml")))) == {"check", "test"}


def test_every_environment_is_previewed_under_the_policies() -> None:
    path = workflow("preview.yml")
    (job,) = jobs(path).values()

    assert job["strategy"]["matrix"]["stack"] == ["dev", "prod"]
    assert 'pulumi preview --stack "$STACK"' in commands(path)
    given = re.findall(r"--policy-pack(?:-config)? (\S+)", commands(path))
    assert given == ["policies", "policies/config.json"]
    assert all((ROOT / name).exists() for name in given)


def test_nothing_is_previewed_without_credentials() -> None:
    path = workflow("preview.yml")
    (job,) = jobs(path).values()
    notice, *others = steps(path)

    assert "vars.AWS_ROLE_ARN != ''" in job["env"]["CONFIGURED"]
    assert notice["if"] == "env.CONFIGURED != 'true'"
    assert {step["if"] for step in others} == {"env.CONFIGURED == 'true'"}
