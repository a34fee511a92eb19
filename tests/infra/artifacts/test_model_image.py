"""What is no Truss directory is refused before Truss is asked."""

from pathlib import Path

import pytest

from infra.artifacts.model_image import model_context
from infra.artifacts.workspace import ArtifactError
from tests.infra.artifacts.truss.directories import truss_directory


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="nowhere: there is no such Truss directory"):
        model_context(tmp_path / "nowhere", tmp_path)


def test_a_directory_without_a_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"not a Truss directory, it has no config\.yaml"):
        model_context(tmp_path, tmp_path)


def test_a_changed_package_outside_of_its_directory_builds_a_model_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truss = truss_directory(tmp_path / "truss", {"external_package_dirs": ["../shared"]})
    (tmp_path / "shared").mkdir()
    monkeypatch.setattr("infra.artifacts.model_image._build", lambda _truss, folder: folder.mkdir())

    def built() -> Path:
        return model_context(truss, tmp_path / "cache")

    first = built()
    assert built() == first
    (tmp_path / "shared" / "own.py").write_text("X = 1\n")
    assert built() != first
