"""Figures, their aims, and the page that shows them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import report
from bench.figures import Backend, Figure, Goal, Run
from bench.rounds import medians

if TYPE_CHECKING:
    from collections.abc import Iterator


def figure(ours: float, floor: float | None = None, goal: Goal | None = None) -> Figure:
    return Figure(
        section="dispatcher",
        name="CPU, 8 slots",
        unit="ms/request",
        backend=Backend.EMULATOR,
        ours=ours,
        floor=floor,
        goal=goal,
    )


def run(*figures: Figure, commit: str = "abc1234") -> Run:
    return Run(
        command="python -m bench",
        machine="a machine",
        date="2026-01-02",
        commit=commit,
        figures=figures,
        notes=("Cog was left out: it does not start.",),
    )


def test_a_ratio_is_of_the_floor_and_there_is_none_without() -> None:
    assert figure(3, floor=2).ratio == 1.5
    assert figure(3).ratio is None


@pytest.mark.parametrize(
    ("goal", "is_met"),
    [
        (Goal(at_most=3), True),
        (Goal(at_most=2.9), False),
        (Goal(at_least=3), True),
        (Goal(at_least=3.1), False),
        (Goal(at_most=1.5, of_ratio=True), True),
        (Goal(at_most=1.4, of_ratio=True), False),
    ],
)
def test_a_figure_keeps_to_its_aim_or_not(goal: Goal, *, is_met: bool) -> None:
    assert goal.is_met(figure(3, floor=2)) is is_met


def test_an_aim_for_a_ratio_is_missed_without_a_floor() -> None:
    assert not Goal(at_most=9, of_ratio=True).is_met(figure(3))


def test_what_is_measured_takes_turns_and_the_median_counts() -> None:
    order = []
    values: dict[str, Iterator[float]] = {"a": iter((9, 1, 5)), "b": iter((2, 2, 8))}

    def sample(name: str) -> dict[str, float]:
        order.append(name)
        return {"ms": next(values[name])}

    taken = medians(3, a=lambda: sample("a"), b=lambda: sample("b"))
    assert order == ["a", "b"] * 3
    assert taken == {"a": {"ms": 5}, "b": {"ms": 2}}


def test_the_page_has_the_figures_between_its_marks_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    page.write_text("Above.\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nBelow.\n")
    monkeypatch.setattr(report, "PAGE", page)
    measured = figure(3, floor=2, goal=Goal(at_most=1.5, of_ratio=True))
    report.write_page(run(measured), before=run(figure(6), commit="before1"))

    text = page.read_text()
    assert text.startswith("Above.\n")
    assert text.endswith("Below.\n")
    assert "old" not in text
    assert (
        "| CPU, 8 slots | emulator | 3 ms/request | 2 | 1.50 | ≤ 1.5 of the floor met | 6 |" in text
    )
    assert "Cog was left out" in text
