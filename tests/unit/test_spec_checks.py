"""Every check of a compatible server is held by a test, or said to differ.

`docs/compatibility.md` says what the numbers mean.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKS = {"baseten": 50, "sagemaker": 10, "datacrunch": 11}
"""How many checks the description of each dialect ends with."""

_ROW = re.compile(r"\| (Baseten|SageMaker|DataCrunch) ((?:\d+(?:-\d+)?(?:, )?)+)")


def _held() -> dict[str, set[int]]:
    """Return the checks that tests are marked with."""
    held: dict[str, set[int]] = {dialect: set() for dialect in CHECKS}
    for module in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for dialect, checks in _marks(node):
                    held[dialect] |= checks
    return held


def _marks(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, set[int]]]:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.spec":
            dialect, *checks = map(ast.literal_eval, mark.args)
            yield dialect, set(checks)


def _different() -> dict[str, set[int]]:
    """Return the checks in the table of differences."""
    page = (ROOT / "docs" / "compatibility.md").read_text()
    table = page.partition("## What is different, and why")[2]
    different: dict[str, set[int]] = {dialect: set() for dialect in CHECKS}
    for dialect, numbers in _ROW.findall(table):
        for part in numbers.split(","):
            first, _, last = part.strip().partition("-")
            different[dialect.lower()] |= {*range(int(first), int(last or first) + 1)}
    return different


@pytest.mark.parametrize("dialect", CHECKS)
def test_every_check_is_either_held_by_a_test_or_said_to_differ(dialect: str) -> None:
    held, different = _held()[dialect], _different()[dialect]
    known = {*range(1, CHECKS[dialect] + 1)}
    assert (held | different) - known == set(), "there is no such check"
    assert known - held - different == set(), "no test holds it, and the page does not mention it"
    assert held & different == set(), "the page calls different what a test holds"
