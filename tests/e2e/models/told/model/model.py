"""Answers with what it was told of where it runs."""

import os
from pathlib import Path
from typing import Any

FILE = Path("/etc/b10_dynamic_config/environment")


class Model:
    """Remembers its environment from each way in which it is told."""

    def __init__(self, **kwargs: Any) -> None:
        self._at_init = kwargs["environment"]
        self._set_up: Any = "never"
        self._at_load: Any = "never"

    def setup_environment(self, environment: Any) -> None:
        """Take the environment; called before `load` and when it changes."""
        self._set_up = environment

    def load(self) -> None:
        """Remember what is known by now."""
        self._at_load = self._set_up

    def predict(self, names: list[str]) -> dict[str, Any]:
        """Return all of it, and the variables of these names."""
        return {
            "init": self._at_init,
            "load": self._at_load,
            "file": FILE.read_text(),
            "variables": {name: os.environ.get(name) for name in names},
        }
