import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
MODELS = sorted((ROOT / "examples" / "models").iterdir())
OCR = ROOT / "examples" / "models" / "ocr"
EMBEDDINGS = ROOT / "examples" / "models" / "embeddings"


def modules_imported_by(source: Path) -> set[str]:
    imported = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    return {name.partition(".")[0] for name in imported}


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)
def test_an_example_model_is_a_plain_truss_directory(model: Path) -> None:
    config = yaml.safe_load((model / "config.yaml").read_text())
    source = model / "model" / "model.py"

    assert config["model_name"] == model.name
    assert {"penstock", "functions", "runtime_image"}.isdisjoint(modules_imported_by(source))


def requirements(project: Path) -> tuple[set[str], set[str]]:
    """Return what a pyproject.toml asks for, and what it never installs."""
    settings: dict[str, Any] = tomllib.loads(project.read_text())
    overridden = settings["tool"]["uv"]["override-dependencies"]
    never = {
        name for name, _, marker in (o.partition(" ; ") for o in overridden) if "never" in marker
    }
    return set(settings["project"]["dependencies"]), never


def test_reading_text_needs_no_graphics_library_of_the_system() -> None:
    for project in (OCR / "pyproject.toml", OCR / "gpu" / "pyproject.toml"):
        wanted, never = requirements(project)
        assert any(requirement.startswith("opencv-python-headless==") for requirement in wanted)
        assert "opencv-python" in never


def test_the_gpu_environment_differs_in_the_runtime_alone() -> None:
    on_cpu, _ = requirements(OCR / "pyproject.toml")
    on_gpu, never_on_gpu = requirements(OCR / "gpu" / "pyproject.toml")

    (runtime,) = on_cpu - on_gpu
    (gpu_runtime,) = on_gpu - on_cpu
    name, version = runtime.split("==")
    assert gpu_runtime == f"{name}-gpu[cuda,cudnn]=={version}"
    assert name in never_on_gpu


def test_embeddings_need_no_pytorch_and_on_a_gpu_cublas_alone() -> None:
    on_cpu, never_on_cpu = requirements(EMBEDDINGS / "pyproject.toml")
    on_gpu, never_on_gpu = requirements(EMBEDDINGS / "gpu" / "pyproject.toml")

    assert never_on_cpu == never_on_gpu == {"sentence-transformers"}
    assert on_cpu <= on_gpu
    assert [each.partition(">")[0] for each in on_gpu - on_cpu] == ["nvidia-cublas-cu12"]
