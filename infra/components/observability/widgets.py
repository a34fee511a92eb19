"""Widgets of a CloudWatch dashboard, in rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.components.observability.metric import Metric

_COLUMNS = 24
_HEIGHT = 6
_TEXT_HEIGHT = 1


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Lines over time."""

    title: str
    region: str
    lines: Mapping[str, Metric] = field(default_factory=dict)
    """By what they are called."""

    hidden: Mapping[str, Metric] = field(default_factory=dict)
    """By the names under which `formulas` use them."""

    formulas: Mapping[str, str] = field(default_factory=dict)
    """Lines that are computed, by what they are called."""

    period_seconds: int = 60

    def widget(self) -> dict[str, Any]:
        """Return it as CloudWatch takes it, without its place."""
        metrics = [
            *(metric.for_widget(label=label) for label, metric in self.lines.items()),
            *(metric.for_widget(id=id_, visible=False) for id_, metric in self.hidden.items()),
            *([{"expression": text, "label": label}] for label, text in self.formulas.items()),
        ]
        return {
            "type": "metric",
            "height": _HEIGHT,
            "properties": {
                "title": self.title,
                "region": self.region,
                "view": "timeSeries",
                "stacked": False,
                "period": self.period_seconds,
                "yAxis": {"left": {"min": 0}},
                "metrics": metrics,
            },
        }


@dataclass(frozen=True)
class Text:
    """A line of Markdown."""

    markdown: str

    def widget(self) -> dict[str, Any]:
        """Return it as CloudWatch takes it, without its place."""
        return {
            "type": "text",
            "height": _TEXT_HEIGHT,
            "properties": {"markdown": self.markdown, "background": "transparent"},
        }


def in_rows(rows: Sequence[Sequence[Graph | Text]]) -> list[dict[str, Any]]:
    """Return the widgets of all rows, each row as wide as the dashboard."""
    placed, y = [], 0
    for row in rows:
        width = _COLUMNS // len(row)
        widgets = [
            {**part.widget(), "x": index * width, "y": y, "width": width}
            for index, part in enumerate(row)
        ]
        placed += widgets
        y += max(widget["height"] for widget in widgets)
    return placed
