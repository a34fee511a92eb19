"""What Truss made of a directory: held to what was asked, and put right where Truss errs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.artifacts.truss.config_file import read_config
from infra.artifacts.truss.config_keys import KEYS
from infra.artifacts.truss.generators import settle_generators
from infra.artifacts.workspace import ArtifactError

_MODULE_IN_IMAGE = "model"
"""Where the Dockerfile puts the model's folder, whatever its name; the server looks for that name
(Truss 0.18.35), so that a model in another folder would never be found."""

_REWRITTEN = {"resources.accelerator", "model_module_dir"}
"""Truss writes `L4:1` as `L4`, and we the folder as it is called in the image."""


def settle_context(truss: Path, context: Path) -> None:
    """Check what Truss wrote into `context`, let the server find the model, and correct it.

    Raises:
        ArtifactError: a value of the config.yaml became another one, or the server is another.
    """
    file = context / "config.yaml"
    built = yaml.safe_load(file.read_text())
    _check_as_asked(truss, built)
    if built["model_module_dir"] != _MODULE_IN_IMAGE:
        file.write_text(yaml.safe_dump({**built, "model_module_dir": _MODULE_IN_IMAGE}))
    settle_generators(context)


def declared_variables(context: Path) -> Mapping[str, str]:
    """Return the `environment_variables` that Truss found in a directory, made texts by it.

    Its Dockerfile leaves them out: whoever starts the server sets them.
    """
    built = yaml.safe_load((context / "config.yaml").read_text())
    return dict(built.get("environment_variables") or {})


def _check_as_asked(truss: Path, built: Mapping[str, Any]) -> None:
    asked = dict(_scalars("", read_config(truss)))
    became = dict(_scalars("", built))
    for path in KEYS["image"].keys() & asked.keys() - _REWRITTEN:
        if not _is_same(asked[path], became.get(path)):
            raise ArtifactError(
                f"{truss}/config.yaml: {path}: {asked[path]!r} has no effect: Truss made"
                f" {became.get(path)!r} of it"
            )


def _scalars(block: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _scalars(f"{block}{name}.", value)
        elif value is not None and not isinstance(value, list):
            yield f"{block}{name}", value


def _is_same(asked: object, became: object) -> bool:
    """Return whether Truss only wrote a value in another way: `5.0` for 5, `8000` for '8000'."""
    return asked == became or str(asked).lower() == str(became).lower()
