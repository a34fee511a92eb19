"""What is built before a stack can start: the functions' archive, models and their packages."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.lambda_bundle import lambda_archive, target_of
from infra.artifacts.model_image import container_context, model_context
from infra.artifacts.workspace import CACHE, ROOT
from infra.settings.stack_settings import StackSettings
from penstock.local.pods.images.images import Image, model_image

MODEL_ENVIRONMENTS = CACHE / "model-environments"


@dataclass(frozen=True)
class Built:
    """The parts of a stack that run on this machine."""

    artifacts: Artifacts
    models: Mapping[Path, Image]
    """What runs as a model server, by the context of its image."""

    root: Path = ROOT
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What of directories is not followed here, by deployment id."""


async def build(settings: StackSettings, lambda_interpreter: Path) -> Built:
    """Build everything that `settings` needs, side by side; most of it is there already."""
    deployments = [d for model in settings.models.values() for d in model.deployments.values()]
    trusses = {ROOT / d.truss for d in deployments if d.truss is not None}
    containers = {ROOT / d.container for d in deployments if d.container is not None}
    archive, models = await asyncio.gather(
        asyncio.to_thread(lambda: lambda_archive(target_of(lambda_interpreter))),
        asyncio.gather(
            *map(_built_truss, sorted(trusses)), *map(_built_container, sorted(containers))
        ),
    )
    artifacts = Artifacts(lambda_archive=lambda: archive, model_context=model_context)
    return Built(artifacts, dict(models))


async def _built_truss(directory: Path) -> tuple[Path, Image]:
    context = await asyncio.to_thread(model_context, directory)
    return context.resolve(), await model_image(context, directory, MODEL_ENVIRONMENTS)


async def _built_container(directory: Path) -> tuple[Path, Image]:
    context = container_context(directory)
    return context.resolve(), await model_image(context, directory, MODEL_ENVIRONMENTS)
