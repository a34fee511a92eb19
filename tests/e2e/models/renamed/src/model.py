"""Answers with what it finds where its image has it."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from own import HELLO  # type: ignore[import-not-found]  # of `libs`, in the image `/packages`


class Model:
    """Reads its files by relative and by absolute paths."""

    def predict(self, paths: list[str]) -> dict[str, Any]:
        """Return what was found, and the first line of each path."""
        return {
            "data": Path("data/greeting").read_text().strip(),
            "package": HELLO,
            "locked": version("iniconfig"),
            "lines": [Path(path).read_text().splitlines()[0] for path in paths],
        }
