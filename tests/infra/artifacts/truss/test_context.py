"""What Truss made of a config.yaml is held to what was written there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.artifacts.truss.context import settle_context
from infra.artifacts.workspace import ArtifactError
from tests.infra.artifacts.truss.directories import truss_directory


def settled(folder: Path, asked: dict[str, Any], built: dict[str, Any]) -> dict[str, Any]:
    truss = truss_directory(folder / "truss", asked)
    (folder / "context").mkdir()
    config = folder / "context" / "config.yaml"
    config.write_text(yaml.safe_dump({"model_module_dir": "model", **built}))
    settle_context(truss, folder / "context")
    settled: dict[str, Any] = yaml.safe_load(config.read_text())
    return settled


def test_a_value_that_truss_drops_or_changes_is_refused_by_file_and_key(tmp_path: Path) -> None:
    asked = {"resources": {"use_gpu": True}}
    with pytest.raises(ArtifactError) as refused:
        settled(tmp_path, asked, {"resources": {"use_gpu": False}})
    assert str(refused.value) == (
        f"{tmp_path}/truss/config.yaml: resources.use_gpu: True has no effect:"
        " Truss made False of it"
    )


def test_a_key_that_truss_drops_is_refused(tmp_path: Path) -> None:
    asked = {"runtime": {"transport": {"ping_timeout_seconds": 3}}}
    with pytest.raises(ArtifactError, match="ping_timeout_seconds: 3 has no effect"):
        settled(tmp_path, asked, {"runtime": {"transport": {"kind": "http"}}})


def test_values_that_truss_writes_otherwise_and_means_alike_are_taken(tmp_path: Path) -> None:
    asked = {
        "resources": {"accelerator": "L4:1", "cpu": "1", "memory": None},
        "environment_variables": {"A": True, "B": 1},
        "model_metadata": {"since": 2024},
        "live_reload": False,
        "description": "an echo\n",
        "runtime": {"transport": {"ping_timeout_seconds": 5}, "predict_concurrency": "4"},
    }
    built = {
        "runtime": {"transport": {"ping_timeout_seconds": 5.0}, "predict_concurrency": 4},
        "resources": {"accelerator": "L4", "cpu": "1", "memory": "2Gi", "use_gpu": True},
        "environment_variables": {"A": "true", "B": "1"},
        "live_reload": False,
        "description": "an echo\n",
    }
    assert settled(tmp_path, asked, built)["resources"]["accelerator"] == "L4"


def test_the_model_is_where_the_dockerfile_puts_it_whatever_its_folder_was_called(
    tmp_path: Path,
) -> None:
    asked = {"model_module_dir": "src"}
    found = settled(tmp_path, asked, {"model_module_dir": "src", "data_dir": "files"})
    assert found == {"model_module_dir": "model", "data_dir": "files"}
