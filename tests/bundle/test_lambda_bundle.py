"""The archive of the functions works on its own, and is the same every time."""

import sys
import zipfile
from dataclasses import replace
from importlib.util import MAGIC_NUMBER, source_from_cache
from pathlib import Path

import pytest

from infra.artifacts import lambda_bundle
from infra.artifacts.lambda_bundle import CLOUD, lambda_archive, target_of
from infra.artifacts.workspace import ROOT
from penstock.contracts.environments import (
    AuthorizerEnvironment,
    IntakeEnvironment,
    ProcessEnvironment,
    StatusEnvironment,
    SweeperEnvironment,
    WebhooksEnvironment,
)
from tests.bundle.conftest import run_alone

pytestmark = pytest.mark.bundle

ENVIRONMENTS: dict[str, type[ProcessEnvironment]] = {
    kind.process: kind
    for kind in (
        AuthorizerEnvironment,
        IntakeEnvironment,
        StatusEnvironment,
        SweeperEnvironment,
        WebhooksEnvironment,
    )
}
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
IN_THE_RUNTIME = ("boto3", "botocore", "s3transfer")
UNCHECKED = (1).to_bytes(4, "little")  # PEP 552: no look at the source
AARCH64 = 183  # e_machine of ELF


@pytest.fixture(scope="session")
def archive() -> Path:
    return lambda_archive(target_of(Path(sys.executable)))


@pytest.fixture(scope="session")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    zipfile.ZipFile(archive).extractall(folder)
    return folder


@pytest.fixture(scope="session")
def runtime(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda's Python brings with it, and no more."""
    folder = tmp_path_factory.mktemp("runtime")
    for package in IN_THE_RUNTIME:
        (folder / package).symlink_to(installed / package)
    return folder


def _variables(function: str) -> dict[str, str]:
    fields = ENVIRONMENTS[function].model_fields
    required = [name for name, field in fields.items() if field.is_required()]
    return {f"PENSTOCK_{name.upper()}": "x" for name in required} | {"AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_with_nothing_but_the_archive_and_the_runtime(
    unpacked: Path, runtime: Path, function: str
) -> None:
    code = f"from functions.{function}.handler import handle; print(handle.__module__)"

    started = run_alone(code, [unpacked, runtime], _variables(function))

    assert started.returncode == 0, started.stderr
    assert started.stdout.strip() == f"functions.{function}.handler"


@pytest.mark.parametrize("function", ["authorizer", "intake", "status"])
def test_a_function_that_somebody_waits_for_imports_nothing_large_that_it_does_not_use(
    unpacked: Path, runtime: Path, function: str
) -> None:
    idle = {"asyncio", "boto3", "aws_xray_sdk", "aws_lambda_powertools.event_handler"}
    code = f"import functions.{function}.handler, sys; print({idle!r} & set(sys.modules))"

    started = run_alone(code, [unpacked, runtime], _variables(function))

    assert started.stdout.strip() == "set()", started.stderr


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_collects_garbage_once_it_has_started(
    unpacked: Path, runtime: Path, function: str
) -> None:
    code = f"import functions.{function}.handler, gc; print(gc.isenabled(), gc.get_count()[2])"

    started = run_alone(code, [unpacked, runtime], _variables(function))

    # Nothing was collected before: the counter of the oldest generation has not moved.
    assert started.stdout.strip() == "True 0", started.stderr


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_boto3_is_left_to_the_runtime(unpacked: Path, function: str) -> None:
    code = f"import functions.{function}.handler"

    started = run_alone(code, [unpacked], _variables(function))

    missing = started.stderr.strip().splitlines()[-1]
    assert missing in {f"ModuleNotFoundError: No module named {p!r}" for p in IN_THE_RUNTIME}


def test_a_function_without_its_variables_does_not_start(unpacked: Path, runtime: Path) -> None:
    started = run_alone(
        "import functions.intake.handler", [unpacked, runtime], {"AWS_REGION": "eu-west-1"}
    )

    assert started.returncode != 0
    assert "environment of intake: PENSTOCK_CATALOG_TABLE" in started.stderr


def test_the_same_sources_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    again = lambda_archive(target_of(Path(sys.executable)), tmp_path)

    assert again.name == archive.name
    assert again.read_bytes() == archive.read_bytes()


def test_what_was_built_is_not_built_again(archive: Path) -> None:
    before = archive.stat().st_ino

    assert lambda_archive(target_of(Path(sys.executable))) == archive
    assert archive.stat().st_ino == before


def test_another_source_is_another_archive(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = tmp_path / "added.py"
    added.write_text("ADDED = True\n")
    own = dict(lambda_bundle._own_files())  # noqa: SLF001 - only the real tree lies behind it
    more = {**own, "functions/added.py": added}
    monkeypatch.setattr(lambda_bundle, "_own_files", more.items)

    changed = lambda_archive(target_of(Path(sys.executable)))

    assert changed.name != archive.name
    assert zipfile.ZipFile(changed).read("functions/added.py") == b"ADDED = True\n"


def test_a_cold_start_compiles_nothing(archive: Path) -> None:
    content = zipfile.ZipFile(archive)
    names = content.namelist()
    sources = {name for name in names if name.endswith(".py")}
    compiled = {name for name in names if name.endswith(".pyc")}

    assert {source_from_cache(name) for name in compiled} == sources
    assert {content.read(name)[:8] for name in compiled} == {MAGIC_NUMBER + UNCHECKED}


def test_without_the_right_python_the_archive_has_sources_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine = target_of(Path(sys.executable))

    archive = lambda_archive(replace(machine, python=str(tmp_path / "no-python")), tmp_path)

    assert not [name for name in zipfile.ZipFile(archive).namelist() if name.endswith(".pyc")]
    assert "cold start compiles its sources" in caplog.text


@pytest.fixture(scope="session")
def cloud_archive() -> Path:
    return lambda_archive(CLOUD)


def test_the_archive_is_small_and_holds_nothing_for_developers(
    archive: Path, cloud_archive: Path
) -> None:
    for path in (archive, cloud_archive):
        names = zipfile.ZipFile(path).namelist()
        tops = {name.split("/")[0] for name in names}
        assert path.stat().st_size < 15_000_000
        assert tops & {"infra", "runtime_image", "tests", "examples", *IN_THE_RUNTIME} == set()
        assert not [n for n in names if n.startswith("penstock/adapters/in_memory")]
        assert {f"functions/{name}/handler.py" for name in FUNCTIONS} <= set(names)
        assert names == sorted(names)


def test_the_clouds_archive_is_for_graviton(cloud_archive: Path) -> None:
    with zipfile.ZipFile(cloud_archive) as content:
        libraries = [name for name in content.namelist() if name.endswith(".so")]
        machines = {content.read(name)[18] for name in libraries}

    assert any("pydantic_core" in name for name in libraries)
    assert machines == {AARCH64}
