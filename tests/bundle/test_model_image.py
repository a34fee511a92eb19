"""Truss makes the image context of the example models, as they are."""

from pathlib import Path

import pytest

from infra.artifacts.model_image import model_context
from infra.artifacts.workspace import ROOT

pytestmark = pytest.mark.bundle


def test_a_truss_directory_becomes_an_image_context(tmp_path: Path) -> None:
    truss = ROOT / "examples" / "models" / "echo"

    context = model_context(truss, tmp_path)

    copied = (context / "model" / "model.py").read_text()
    assert copied == (truss / "model" / "model.py").read_text()
    assert "FROM" in (context / "Dockerfile").read_text()
    assert (context / "server" / "truss_server.py").is_file()
    assert model_context(truss, tmp_path) == context
    assert [path.name for path in tmp_path.iterdir()] == [context.name]
