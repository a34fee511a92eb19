"""A run as pictures: ours and the floor of every figure, one picture for each section."""

import matplotlib as mpl
from matplotlib import pyplot as plt

from bench.figures import Figure, Run
from bench.report import PICTURES, number, picture, sections

_OURS, _FLOOR = "#1f77b4", "#bbbbbb"
_INCHES_PER_BAR = 0.45


def draw(run: Run) -> None:
    """Write the picture of every section."""
    mpl.use("agg")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for section, figures in sections(run.figures):
        _draw(section, figures)


def _draw(section: str, figures: list[Figure]) -> None:
    """Draw bars as shares of the larger of both: units differ from figure to figure."""
    height = 1 + _INCHES_PER_BAR * 2 * len(figures)
    canvas, axes = plt.subplots(figsize=(9, height), layout="constrained")
    for row, figure in enumerate(reversed(figures)):
        floor = figure.floor or 0.0
        largest = max(figure.ours, floor) or 1.0
        axes.barh(row + 0.2, figure.ours / largest, 0.35, color=_OURS)
        axes.text(0.01, row + 0.2, f"ours {number(figure.ours)} {figure.unit}", va="center")
        if figure.floor is not None:
            axes.barh(row - 0.2, floor / largest, 0.35, color=_FLOOR)
            axes.text(0.01, row - 0.2, f"floor {number(floor)}", va="center")
    names = [f"{figure.name}\n{figure.backend or ''}" for figure in reversed(figures)]
    axes.set_yticks(range(len(figures)), names)
    axes.set_xticks([])
    axes.set_title(section.capitalize(), loc="left")
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    canvas.savefig(PICTURES / picture(section), dpi=110)
    plt.close(canvas)
