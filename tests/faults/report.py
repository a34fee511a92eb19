"""`python -m tests.faults.report RUN.json`: put the counts of a run into docs/reliability.md."""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults.simulation.fates import FAULTS

_PAGE = Path("docs/reliability.md")
_BEGIN = "<!-- written by tests/faults/report.py -->"
_END = "<!-- end of what is written -->"


def section(run: dict[str, Any], machine: str, date: str) -> str:
    """Return what the page says of a run."""
    calls = run["calls"]
    header = ["| port call |", *(f" {fault} |" for fault in FAULTS)]
    rows = [
        "".join([f"| `{call}` |", *(f" {counts[fault] or ''} |" for fault in FAULTS)])
        for call, counts in calls.items()
    ]
    mishaps = ", ".join(f"{name} {count}" for name, count in run["mishaps"].items())
    return "\n".join(
        [
            _BEGIN,
            f"`make faults`, {machine}, {date}:",
            "",
            f"> {run['line']}",
            "",
            f"Besides failed calls: {mishaps}.",
            "",
            "".join(header),
            "|---" * (1 + len(FAULTS)) + "|",
            *rows,
            _END,
        ]
    )


def with_section(page: str, new: str) -> str:
    """Return a page whose written part is `new`."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + new + after


def main() -> None:
    """Write the page."""
    run = json.loads(Path(sys.argv[1]).read_text())
    machine = f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}"
    new = section(run, machine, datetime.now(UTC).date().isoformat())
    _PAGE.write_text(with_section(_PAGE.read_text(), new))


if __name__ == "__main__":
    main()
