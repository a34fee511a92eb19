"""What is no Truss directory is refused before Truss is asked."""

from pathlib import Path

import pytest

from infra.artifacts.model_image import model_context
from infra.artifacts.workspace import ArtifactError


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="nowhere: there is no such Truss directory"):
        model_context(tmp_path / "nowhere", tmp_path)


def test_a_directory_without_a_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"not a Truss directory, it has no config\.yaml"):
        model_context(tmp_path, tmp_path)
