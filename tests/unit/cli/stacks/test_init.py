"""A new stack's file: by asking, or from options."""

import shutil
from pathlib import Path

import pytest
from typer.testing import Result

from infra.cost.estimate import estimate
from infra.settings.instance import Instance
from infra.settings.stack_settings import StackSettings
from penstock.cli.stacks.answers import THROWAWAY_STACKS
from policies.guardrails import resources
from tests.unit.cli.conftest import CommandLineOf

PROJECT = Path(__file__).parents[4]
ROLE = "arn:aws:iam::210987654321:role/deploy"
SAID = ("--access-from", "203.0.113.0/24", "--admin-role", ROLE, "--owner", "vision")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what a new file is made from."""
    for example in PROJECT.glob("Pulumi.*.yaml.example"):
        shutil.copy(example, tmp_path)
    for model in ("echo", "ocr"):
        folder = tmp_path / "examples" / "models" / model
        folder.mkdir(parents=True)
        shutil.copy(PROJECT / "examples" / "models" / model / "config.yaml", folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, name: str) -> StackSettings:
    return StackSettings.read(folder / f"Pulumi.{name}.yaml")


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    return " ".join(result.stderr.split())


@pytest.mark.parametrize("example", ["dev", "prod"])
def test_options_alone_make_a_file_that_pulumi_takes(
    penstock: CommandLineOf, project: Path, example: str
) -> None:
    result = penstock()(
        "stack", "init", "dev-blue", "--from", example, "--region", "eu-west-1", *SAID, "--yes"
    )

    assert result.exit_code == 0, result.stderr
    settings = written(project, "dev-blue")
    expected = StackSettings.read(project / f"Pulumi.{example}.yaml.example")
    assert (settings.environment, settings.network) == (expected.environment, expected.network)
    assert settings.region == "eu-west-1"
    assert settings.cluster.name == "penstock-dev-blue"
    assert settings.cluster.create
    assert settings.cluster.create.public_access_cidrs == ("203.0.113.0/24",)
    assert settings.cluster.create.admin_role_arns == (ROLE,)
    assert settings.tags == {"Owner": "vision"}
    assert settings.api.domain is None
    assert settings.observability.alarms.emails == ()
    assert list(settings.models) == ["echo"]
    assert settings.chains == {}


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "xx-yy-1"])
def test_a_region_of_another_partition_is_refused_and_nothing_written(
    penstock: CommandLineOf, project: Path, region: str
) -> None:
    result = penstock()("stack", "init", "sandbox-x", "--region", region, *SAID, "--yes")

    assert f"{region} is no region of the partition aws" in refused(result)
    assert not (project / "Pulumi.sandbox-x.yaml").exists()


def test_nothing_of_the_example_stays_that_is_another_accounts(
    penstock: CommandLineOf, project: Path
) -> None:
    penstock()("stack", "init", "dev-blue", "--from", "prod", *SAID, "--yes")

    text = (project / "Pulumi.dev-blue.yaml").read_text()
    for placeholder in ("123456789012", "198.51.100", "example.com", "your-", "Z0123"):
        assert placeholder not in text


def test_comments_of_the_example_stay(penstock: CommandLineOf, project: Path) -> None:
    penstock()("stack", "init", "dev-blue", "--from", "prod", *SAID, "--yes")

    text = (project / "Pulumi.dev-blue.yaml").read_text()
    assert text.startswith("# Written by `penstock stack init`.")
    assert "capacity: [spot, on-demand] # spot first" in text
    assert f"admin_role_arns: [{ROLE}] # who runs" in " ".join(text.split())


def test_models_alarms_and_a_domain_are_taken_from_options(
    penstock: CommandLineOf, project: Path
) -> None:
    models = ["--model", "scan=examples/models/ocr@L4:4x16"]
    models += ["--model", "echo=examples/models/echo@CPU:1x2"]
    more = ("--domain", "inference.acme.test=Z0ACME", "--alarm-email", "on-call@acme.test")

    result = penstock()("stack", "init", "dev-blue", *SAID, *models, *more, "--yes")

    assert result.exit_code == 0, result.stderr
    settings = written(project, "dev-blue")
    assert settings.api.domain
    assert settings.api.domain.name == "inference.acme.test"
    assert settings.api.domain.hosted_zone == "Z0ACME"
    assert settings.observability.alarms.emails == ("on-call@acme.test",)
    scan = settings.models["scan"].deployments["v1"]
    assert (scan.truss, Instance.parse(scan.instance).gpu) == ("examples/models/ocr", "L4")
    assert list(settings.models) == ["scan", "echo"]


def test_what_was_not_said_is_asked(penstock: CommandLineOf, project: Path) -> None:
    answers = f"ap-south-1\n203.0.113.7/32 203.0.113.8/32\n{ROLE}\nvision\n\n\n\n"

    result = penstock()("stack", "init", "dev-green", input=answers)

    assert result.exit_code == 0, result.stderr
    settings = written(project, "dev-green")
    assert settings.region == "ap-south-1"
    assert settings.cluster.create
    assert len(settings.cluster.create.public_access_cidrs) == 2
    assert settings.api.domain is None
    assert list(settings.models) == ["echo"]


def test_the_monthly_floor_and_the_next_commands_are_said(
    penstock: CommandLineOf, project: Path
) -> None:
    result = penstock()("stack", "init", "dev-blue", *SAID, "--yes")

    said = " ".join(result.stdout.split())
    usd = estimate(written(project, "dev-blue")).floor_usd_per_month
    assert f"before its first request it costs {usd:.0f} USD a month" in said
    for command in (
        "pulumi stack init dev-blue",
        "pulumi up --stack dev-blue",
        "penstock keys create",
    ):
        assert command in said


def test_a_file_that_is_there_is_left_alone(penstock: CommandLineOf, project: Path) -> None:
    there = project / "Pulumi.dev-blue.yaml"
    there.write_text("mine")

    complaint = refused(penstock()("stack", "init", "dev-blue", *SAID, "--yes"))

    assert "Pulumi.dev-blue.yaml is there already" in complaint
    assert there.read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--yes",), "say --access-from"),
        ((*SAID, "--model", "ocr", "--yes"), "NAME=DIRECTORY@INSTANCE"),
        ((*SAID, "--model", "ocr=nowhere@L4", "--yes"), "nowhere is no Truss directory"),
        ((*SAID, "--model", "ocr=examples/models/ocr@L5", "--yes"), "no GPU L5"),
        ((*SAID, "--domain", "inference.acme.test", "--yes"), "NAME=ZONE"),
        ((*SAID, "--region", "Europe", "--yes"), "settings.region"),
    ],
)
def test_what_makes_no_stack_is_said_and_nothing_is_written(
    penstock: CommandLineOf, project: Path, options: tuple[str, ...], says: str
) -> None:
    before = sorted(project.iterdir())

    complaint = refused(penstock()("stack", "init", "dev-blue", *options))

    assert says in complaint
    assert sorted(project.iterdir()) == before


@pytest.mark.parametrize("name", ["Blue", "../blue", "1", ""])
def test_a_name_that_not_everybody_takes_is_refused(penstock: CommandLineOf, name: str) -> None:
    assert "is no name of a stack" in refused(penstock()("stack", "init", name, *SAID, "--yes"))


def test_a_stack_without_protection_has_a_name_that_says_so(penstock: CommandLineOf) -> None:
    complaint = refused(penstock()("stack", "init", "prod", *SAID, "--yes"))

    assert "the policies take prod for production" in complaint


def test_the_policies_let_the_same_stacks_go() -> None:
    assert {*THROWAWAY_STACKS, "local"} == set(resources.THROWAWAY_STACKS)


def test_outside_the_project_it_is_said_where_to_run_it(
    penstock: CommandLineOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    complaint = refused(penstock()("stack", "init", "dev-blue", *SAID, "--yes"))

    assert "run this in the project's folder" in complaint
