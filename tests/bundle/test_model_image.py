"""Truss makes the image context of the example models, as they are."""

import shutil
from pathlib import Path

import pytest

from infra.artifacts.model_image import model_context
from infra.artifacts.workspace import ROOT, ArtifactError

pytestmark = pytest.mark.bundle

POD_USER = 60_000  # `infra/components/compute/model_server.py`


def test_a_truss_directory_becomes_an_image_context(tmp_path: Path) -> None:
    truss = ROOT / "examples" / "models" / "echo"

    context = model_context(truss, tmp_path)

    copied = (context / "model" / "model.py").read_text()
    assert copied == (truss / "model" / "model.py").read_text()
    assert "FROM" in (context / "Dockerfile").read_text()
    assert (context / "server" / "truss_server.py").is_file()
    assert model_context(truss, tmp_path) == context
    assert [path.name for path in tmp_path.iterdir()] == [context.name]


def test_a_model_image_runs_as_the_user_that_pods_give_it(tmp_path: Path) -> None:
    context = model_context(ROOT / "examples" / "models" / "echo", tmp_path)

    lines = (context / "Dockerfile").read_text().splitlines()
    assert f"USER {POD_USER}" in lines
    # The server makes a folder beside itself.
    (given,) = [line for line in lines if line.startswith(f"RUN chown -R {POD_USER}:{POD_USER} ")]
    assert "${APP_HOME}" in given.split()


def test_the_context_of_a_model_is_small_and_holds_nothing_twice(tmp_path: Path) -> None:
    context = model_context(ROOT / "examples" / "models" / "echo", tmp_path)

    files = [path for path in context.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 500_000
    assert not (context / "build_hash").exists()
    assert not [path for path in files if path.name.startswith("test_") or path.suffix == ".pyc"]
    assert len([path for path in files if path.name == "model.py"]) == 1


def test_a_truss_directory_with_a_secret_is_refused(tmp_path: Path) -> None:
    truss = tmp_path / "truss"
    shutil.copytree(ROOT / "examples" / "models" / "echo", truss)
    (truss / "model" / ".netrc").write_text("machine example login me")

    with pytest.raises(ArtifactError, match=rf"^{truss}: .*: model/\.netrc; move it elsewhere"):
        model_context(truss, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_the_server_looks_for_a_model_where_its_image_has_it(tmp_path: Path) -> None:
    context = model_context(ROOT / "tests" / "e2e" / "models" / "renamed", tmp_path)

    copied = "COPY --chown=root:root ./src ${APP_HOME}/model"
    assert copied in (context / "Dockerfile").read_text().splitlines()
    assert "model_module_dir: model\n" in (context / "config.yaml").read_text()
