"""What is built before a stack can start: the functions' archive, models and their packages."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.lambda_bundle import lambda_archive, target_of
from infra.artifacts.model_image import model_context
from infra.artifacts.workspace import CACHE, ROOT
from infra.settings.stack_settings import StackSettings
from penstock.local.pods.model_environment import make_model_environment

MODEL_ENVIRONMENTS = CACHE / "model-environments"


@dataclass(frozen=True)
class Built:
    """The parts of a stack that run on this machine."""

    artifacts: Artifacts
    root: Path = ROOT


async def build(settings: StackSettings, lambda_interpreter: Path) -> Built:
    """Build everything that `settings` needs, side by side; most of it is there already."""
    directories = {
        ROOT / deployment.truss
        for model in settings.models.values()
        for deployment in model.deployments.values()
        if deployment.truss is not None
    }
    archive, _ = await asyncio.gather(
        asyncio.to_thread(lambda: lambda_archive(target_of(lambda_interpreter))),
        asyncio.gather(*map(_build_model, sorted(directories))),
    )
    return Built(Artifacts(lambda_archive=lambda: archive, model_context=model_context))


async def _build_model(directory: Path) -> None:
    context = await asyncio.to_thread(model_context, directory)
    await make_model_environment(context, MODEL_ENVIRONMENTS)
