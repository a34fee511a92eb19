"""The images of a stack: the dispatcher's, and those of model servers that are built here."""

from typing import cast

import pulumi

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.model_image import container_context
from infra.artifacts.workspace import ROOT, fingerprint, fingerprint_of
from infra.components.compute.built_image import BuiltImage, BuiltImageArgs
from infra.settings.model_settings import DeploymentSettings, ModelSettings


def dispatcher_image(opts: pulumi.ResourceOptions, *, is_protected: bool) -> pulumi.Output[str]:
    """Build the dispatcher's image and return it by digest."""
    args = BuiltImageArgs(
        context=ROOT,
        dockerfile=ROOT / "runtime_image" / "Dockerfile",
        stage="dispatcher",
        tag=_fingerprint_of_dispatcher(),
        is_protected=is_protected,
    )
    return BuiltImage("dispatcher", args, opts).ref


def model_images(
    model_id: str,
    model: ModelSettings,
    artifacts: Artifacts,
    opts: pulumi.ResourceOptions,
    *,
    is_protected: bool,
) -> dict[str, pulumi.Input[str]]:
    """Return the model server's image of each deployment by digest; build those that are ours."""

    def image(name: str, settings: DeploymentSettings) -> pulumi.Input[str]:
        if settings.image is not None:
            return settings.image
        if settings.container is not None:
            context = container_context(ROOT / settings.container)
        else:
            context = artifacts.model_context(ROOT / cast("str", settings.truss))
        args = BuiltImageArgs(
            context=context, tag=fingerprint_of(context), is_protected=is_protected
        )
        return BuiltImage(f"{model_id}-{name}-server", args, opts).ref

    return {name: image(name, settings) for name, settings in model.deployments.items()}


def _fingerprint_of_dispatcher() -> str:
    let_through = (ROOT / ".dockerignore").read_text()
    parts = [ROOT / line[1:] for line in let_through.splitlines() if line.startswith("!")]
    contents = [fingerprint_of(p) if p.is_dir() else p.read_text() for p in parts]
    return fingerprint(let_through, *contents)
