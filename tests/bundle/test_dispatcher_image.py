"""What `.dockerignore` lets into the dispatcher's image is all it needs, and no more."""

import shutil
from pathlib import Path

import pytest

from infra.artifacts.image_context import check_no_secrets, context_files
from infra.artifacts.workspace import ROOT, run, uv
from penstock.contracts.environments import DispatcherEnvironment
from tests.bundle.conftest import run_alone

pytestmark = pytest.mark.bundle


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's folder `/app`, less its packages."""
    folder = tmp_path_factory.mktemp("app")
    for path in context_files(ROOT):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
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


def test_nothing_else_is_sent_to_the_build(app: Path) -> None:
    tops = {path.name for path in app.iterdir()}
    library = {path.name for path in (app / "penstock").iterdir()}
    files = [path for path in app.rglob("*") if path.is_file()]

    assert tops == {".dockerignore", "penstock", "runtime_image", "pyproject.toml", "uv.lock"}
    assert library == {"__init__.py", "adapters", "contracts", "protocol"}
    assert not (app / "penstock" / "adapters" / "in_memory").exists()
    assert not [path for path in files if "test" in path.name or path.suffix == ".pyc"]
    assert sum(path.stat().st_size for path in files) < 2_000_000


def test_no_secret_is_sent_to_the_build(app: Path) -> None:
    check_no_secrets(ROOT, ROOT)
    check_no_secrets(app, app)
