"""The tree stays small enough to live in."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("penstock", "functions", "runtime_image", "infra", "policies", "examples", "bench")
MODULE_LINES, FUNCTION_LINES, COMPONENT_LINES, FOLDER_FILES = 400, 30, 60, 20
JSON_OF_OUR_OWN = {
    "penstock/contracts/json_text.py",
    "penstock/dialects/openapi.py",
    "penstock/local/emulator.py",
    "penstock/local/materialise/resources/data.py",
    "penstock/local/pods/images/private_root.py",
    "runtime_image/dispatcher/batching/contract.py",
}
"""Modules that may parse JSON themselves: the one that is for it, readers of what we wrote, and the
one that walks through a list element by element, which expects that depth too."""

FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager"}


def _modules() -> list[Path]:
    return sorted(
        path for top in SOURCES for path in (ROOT / top).rglob("*.py") if ".venv" not in path.parts
    )


def _functions(module: Path) -> Iterator[tuple[str, int, int]]:
    """Yield name, code lines and limit; decorators, signature and docstring do not count."""
    for node in ast.walk(ast.parse(module.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
        yield node.name, lines, COMPONENT_LINES if node.name == "__init__" else FUNCTION_LINES


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", _modules(), ids=_relative)
def test_modules_and_functions_are_short(module: Path) -> None:
    lines = len(module.read_text().splitlines())
    assert lines < MODULE_LINES, f"{lines} lines"
    long = {name: lines for name, lines, limit in _functions(module) if lines > limit}
    assert not long


def test_folders_hold_few_files() -> None:
    folders = {module.parent for module in _modules()}
    crowded = {
        _relative(folder): count
        for folder in folders
        if (count := len({*folder.glob("*.py")} - {folder / "__init__.py"})) > FOLDER_FILES
    }
    assert not crowded


def test_no_module_is_named_after_nothing() -> None:
    assert not [_relative(m) for m in _modules() if m.stem in FORBIDDEN_NAMES]


@pytest.mark.parametrize("top", ["penstock", "functions", "runtime_image"])
def test_json_of_others_is_parsed_in_one_place_where_depth_is_no_crash(top: str) -> None:
    parsers = {
        _relative(module)
        for module in _modules()
        if module.is_relative_to(ROOT / top)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"load", "loads", "JSONDecoder"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "json"
    }
    assert parsers <= JSON_OF_OUR_OWN
