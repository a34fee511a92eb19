"""Truss directories to look at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.settings.stack_settings import StackSettings

MODEL = "class Model:\n    def predict(self, model_input):\n        return model_input\n"


def truss_directory(folder: Path, config: dict[str, Any], model: str | None = MODEL) -> Path:
    """Write a Truss directory; without a model if there is to be none."""
    (folder / "model").mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    if model is not None:
        (folder / "model" / "model.py").write_text(model)
    return folder


def stack_of(
    deployments: Mapping[str, Mapping[str, Any]], instance: str = "CPU:1x2"
) -> StackSettings:
    """Return the settings of a local stack with a model for each deployment, called v1."""
    return StackSettings.checked(
        {
            "environment": "local",
            "region": "us-east-1",
            "cluster": {"name": "local", "kubeconfig_context": "local"},
            "models": {
                name: {"deployments": {"v1": {"instance": instance, **own}}}
                for name, own in deployments.items()
            },
        }
    )
