"""The page of settings is the types, and says of each key what it does."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from infra.artifacts.workspace import ROOT
from infra.settings.reference import reference

PAGE = ROOT / "docs" / "settings.md"
UNITS = (
    "seconds", "minutes", "per second", "bytes", "gib", "days", "hours", "percentage", "share",
    "port", "calls", "requests", "replicas", "nodes", "attempts",
)  # fmt: skip
"""What a number may count, in the name of its key or in its meaning."""


class Row(NamedTuple):
    """One key."""

    block: str
    key: str
    value: str
    default: str
    meaning: str


def _rows() -> Iterator[Row]:
    block = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            block = line.removeprefix("## ")
        elif line.startswith("| `"):
            yield Row(block, *(cell.strip() for cell in line.strip("|").split(" | ")))


ROWS = tuple(_rows())


def _name(row: Row) -> str:
    return f"{row.block}.{row.key}".replace("`", "")


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == reference(), "run `make docs`"


def test_the_page_has_the_settings_of_every_part() -> None:
    blocks = {row.block for row in ROWS}

    assert len(ROWS) > 80
    assert {"`network`", "`api.domain`", "`models.<name>.deployments.<name>.sagemaker`"} <= blocks


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_every_key_has_a_sentence_and_a_default(row: Row) -> None:
    assert len(row.meaning.split()) >= 2
    assert row.meaning.endswith(".")
    assert row.default


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.value.startswith(("integer", "number"))], ids=_name
)
def test_every_number_says_what_it_counts(row: Row) -> None:
    told = f"{row.key} {row.meaning}".replace("_", " ").lower()

    assert any(unit in told for unit in UNITS)
