"""The images of a stack: the dispatcher's, and those of model servers that are built here."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import pulumi

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.image_context import fingerprint_of_context
from infra.artifacts.model_image import container_context
from infra.artifacts.truss.context import declared_variables
from infra.artifacts.workspace import ROOT
from infra.components.compute.built_image import BuiltImage, BuiltImageArgs
from infra.components.compute.model_server import ModelImage
from infra.settings.model_settings import DeploymentSettings
from infra.settings.stack_settings import StackSettings

GPU_BASE = "localhost/penstock-gpu"
"""What a Truss directory calls our base with CUDA. No registry has this name, so that nobody can
lay another image under it."""

_ON_GPU_BASE = re.compile(rf"^FROM\s+{re.escape(GPU_BASE)}(\s|$)", re.MULTILINE)
_DOCKERFILE = ROOT / "runtime_image" / "Dockerfile"


@dataclass(frozen=True)
class StackImages:
    """Declares the images of a stack, each once."""

    stack: StackSettings
    artifacts: Artifacts
    opts: pulumi.ResourceOptions

    def dispatcher(self) -> pulumi.Output[str]:
        """Build the dispatcher's image and return it by digest."""
        base = {"BASE_IMAGE": given} if (given := self.stack.images.base) else {}
        return self._ours("dispatcher", base)

    def model_server(self, deployment_id: str, settings: DeploymentSettings) -> ModelImage:
        """Return the model server's image; build it unless it is a ready one."""
        if settings.truss is not None:
            context = self.artifacts.model_context(ROOT / settings.truss)
            return ModelImage(self._built(deployment_id, context), declared_variables(context))
        if settings.container is not None:
            context = container_context(ROOT / settings.container)
            return ModelImage(self._built(deployment_id, context))
        return ModelImage(cast("str", settings.image))

    def _built(self, deployment_id: str, context: Path) -> pulumi.Output[str]:
        is_on_gpu_base = _ON_GPU_BASE.search((context / "Dockerfile").read_text())
        args = BuiltImageArgs(
            context=context,
            fingerprint=fingerprint_of_context(context),
            is_protected=self.stack.is_protected,
            cache=self.stack.images.cache,
            bases={GPU_BASE: self._gpu_base} if is_on_gpu_base else {},
        )
        return BuiltImage(f"{deployment_id}-server", args, self.opts).ref

    @cached_property
    def _gpu_base(self) -> pulumi.Output[str]:
        base = {"GPU_BASE_IMAGE": given} if (given := self.stack.images.gpu_base) else {}
        return self._ours("gpu", base)

    def _ours(self, stage: str, build_arguments: dict[str, str]) -> pulumi.Output[str]:
        args = BuiltImageArgs(
            context=ROOT,
            fingerprint=fingerprint_of_context(ROOT),
            is_protected=self.stack.is_protected,
            cache=self.stack.images.cache,
            dockerfile=_DOCKERFILE,
            stage=stage,
            build_arguments=build_arguments,
        )
        return BuiltImage(stage, args, self.opts).ref
