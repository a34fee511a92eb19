"""A config.yaml as it was written, before Truss has filled it in and dropped what it drops."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.artifacts.truss.config_keys import FORMER_KEYS, KEYS
from infra.artifacts.truss.treatment import Asked, Key, Place, Treatment
from infra.artifacts.workspace import ArtifactError


@dataclass(frozen=True)
class Finding:
    """Something of a Truss directory that has no effect, or cannot be served."""

    treatment: Treatment
    text: str
    """Names the key or file first."""


def read_config(directory: Path) -> Mapping[str, Any]:
    """Return what is written in a Truss directory's config.yaml.

    Raises:
        ArtifactError: there is none, or it is not YAML.
    """
    if not directory.is_dir():
        raise ArtifactError(f"{directory}: there is no such Truss directory")
    file = directory / "config.yaml"
    if not file.is_file():
        raise ArtifactError(f"{directory}: not a Truss directory, it has no config.yaml")
    try:
        config = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{file}: not YAML: {error}") from error
    if not isinstance(config, dict | None):
        raise ArtifactError(f"{file}: not a mapping of keys to values")
    return config or {}


def config_findings(place: Place, asked: Asked) -> Iterator[Finding]:
    """Yield what of a config.yaml is noted or refused in a place."""
    yield from _below("", asked.config, KEYS[place], asked)


def _below(
    block: str, values: Mapping[str, Any], keys: Mapping[str, Key], asked: Asked
) -> Iterator[Finding]:
    for name, value in values.items():
        path = f"{block}{name}"
        key = keys.get(FORMER_KEYS.get(path, path))
        if key is not None:
            if (reason := key.reason(value, asked)) is not None:
                yield Finding(key.treatment, f"config.yaml: {path}: {reason}")
        elif any(known.startswith(f"{path}.") for known in keys):
            if isinstance(value, dict):  # if not, Truss refuses it, or it is null
                yield from _below(f"{path}.", value, keys, asked)
        else:
            yield _unknown(block, str(name), keys)


def _unknown(block: str, name: str, keys: Mapping[str, Key]) -> Finding:
    known = sorted({k.removeprefix(block).split(".")[0] for k in keys if k.startswith(block)})
    close = difflib.get_close_matches(name, known, n=1)
    instead = f"; did you mean {close[0]}?" if close else ""
    if not block:  # Truss keeps it, and some models read it
        return Finding(
            Treatment.NOTED,
            f"config.yaml: {name}: Truss knows no such key; it reaches only the model's"
            f" config{instead}",
        )
    instead = instead or f"; known are {', '.join(known)}"
    return Finding(
        Treatment.REFUSED,
        f"config.yaml: {block}{name}: Truss knows no such key, so it has no effect{instead}",
    )
