"""A run as tables: on the terminal, and in the page about performance."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Run

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PICTURES = PAGE.parent / "performance"
_COLUMNS = ("measured", "over", "ours", "floor", "ours / floor", "aim")
_BETWEEN = re.compile(r"(<!-- bench: begin -->\n).*(<!-- bench: end -->)", re.DOTALL)


def print_run(run: Run) -> None:
    """Print every figure."""
    console = Console()
    for section, figures in sections(run.figures):
        table = Table(title=section, title_justify="left")
        for column in _COLUMNS:
            table.add_column(column, justify="left" if column in {"measured", "over"} else "right")
        for figure in figures:
            table.add_row(*_cells(figure))
        console.print(table)
    for note in run.notes:
        console.print(note)
    console.print(f"{run.machine}; {run.date}; {run.commit}")


def write_page(run: Run, before: Run | None) -> None:
    """Put the tables of a run, beside those of an earlier one, into the page."""
    text = "\n".join(_page(run, before))
    page = PAGE.read_text()
    PAGE.write_text(_BETWEEN.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page))


def sections(figures: Iterable[Figure]) -> Iterator[tuple[str, list[Figure]]]:
    """Yield figures by section, in the order of the run."""
    for section, own in groupby(figures, key=lambda figure: figure.section):
        yield section, list(own)


def number(value: float) -> str:
    """Return three significant digits, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - digits


def _cells(figure: Figure) -> list[str]:
    verdict = ""
    if figure.goal is not None:
        verdict = f"{figure.goal} {'met' if figure.goal.is_met(figure) else 'missed'}"
    return [
        figure.name,
        figure.backend or "",
        f"{number(figure.ours)} {figure.unit}",
        "" if figure.floor is None else number(figure.floor),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        verdict,
    ]


def _page(run: Run, before: Run | None) -> Iterator[str]:
    yield f"`{run.command}` on {run.machine}, {run.date}, commit {run.commit}."
    if before is not None:
        yield f"Before: commit {before.commit}, {before.date}, the same machine."
    earlier = {figure.key: figure for figure in before.figures} if before else {}
    columns = (*_COLUMNS, "before") if earlier else _COLUMNS
    for section, figures in sections(run.figures):
        yield from (
            "",
            f"### {section.capitalize()}",
            "",
            f"![{section}](performance/{picture(section)})",
        )
        yield from ("", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}")
        for figure in figures:
            cells = _cells(figure)
            if earlier:
                old = earlier.get(figure.key)
                cells.append(number(old.ours) if old else "")
            yield f"| {' | '.join(cells)} |"
    yield from ("", *run.notes)


def picture(section: str) -> str:
    """Return the file name of a section's plot."""
    return f"{section.lower().replace(' ', '-')}.png"
