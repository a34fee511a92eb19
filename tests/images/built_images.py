"""The images of a stack of two models: one Truss as it comes, one on our base with CUDA."""

import shutil
from pathlib import Path
from typing import Any

import yaml
from dockerfile_parse import DockerfileParser

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.images import GPU_BASE
from infra.artifacts.model_image import model_context
from infra.artifacts.workspace import ROOT
from infra.program import declare
from infra.settings.stack_settings import StackSettings
from tests.e2e.stack import settings_of
from tests.images.buildah import Buildah, step
from tests.images.stand_ins import CUDA, PYTHON
from tests.infra.recording import record

ECHO = ROOT / "examples" / "models" / "echo"
DISPATCHER = "localhost/penstock-dispatcher"
SERVERS = {"echo": "localhost/echo", "gpu": "localhost/echo-gpu"}
"""Model to the image of its server."""

_DOCKERFILE = ROOT / "runtime_image" / "Dockerfile"
_ONE_WORKER = {"min_replica": 1, "max_replica": 1, "concurrency_target": 4}
_LARGE_BODIES = {"max_payload_bytes": 4_194_304}


def build_dispatcher(buildah: Buildah) -> None:
    """Build the dispatcher's image from the repository's root."""
    PYTHON.make(buildah)
    with step("the dispatcher's image"):
        _build_ours(buildah, DISPATCHER, "dispatcher", f"BASE_IMAGE={PYTHON.image}")


def build_servers(buildah: Buildah, trusses: dict[str, Path]) -> None:
    """Build the image of each Truss directory, and our base with CUDA before."""
    CUDA.make(buildah)
    with step(f"{GPU_BASE}, without CUDA"):
        _build_ours(buildah, GPU_BASE, "gpu", f"GPU_BASE_IMAGE={CUDA.image}")
    for model, truss in trusses.items():
        with step(f"the model server's image of {model}"):
            context = model_context(truss)
            for base in DockerfileParser(str(context)).parent_images:
                if base != GPU_BASE:  # one of Truss's, with the same in it: Debian, Python and uv
                    buildah.tag(GPU_BASE, f"docker.io/{base}")
            buildah.build(SERVERS[model], context)


def truss_on_gpu_base(folder: Path) -> Path:
    """Return the echo model as a Truss directory for a GPU, on our base with CUDA."""
    truss = shutil.copytree(ECHO, folder / "echo-gpu")
    config = yaml.safe_load((truss / "config.yaml").read_text())
    config["base_image"] = {"image": GPU_BASE, "python_executable_path": "/usr/bin/python3"}
    config["resources"] = {"accelerator": "L4"}
    (truss / "config.yaml").write_text(yaml.safe_dump(config))
    return truss


def stack_file(trusses: dict[str, Path]) -> str:
    """Return the settings of a stack that serves these Truss directories."""
    deployments: dict[str, dict[str, Any]] = {
        model: {"truss": str(truss), "autoscaling": _ONE_WORKER} for model, truss in trusses.items()
    }
    deployments["gpu"]["instance"] = "L4"
    settings = yaml.safe_load(settings_of(**deployments))
    settings["config"]["penstock:settings"]["api"] = _LARGE_BODIES
    return yaml.safe_dump(settings)


def security_contexts(stack_file: Path) -> dict[str, dict[str, Any]]:
    """Return what pods say of their containers, by deployment and container."""
    archive = stack_file.with_name("functions.zip")
    archive.touch()
    artifacts = Artifacts(lambda_archive=lambda: archive, model_context=model_context)
    declared = record(lambda: declare(StackSettings.read(stack_file), artifacts))
    found = {}
    for deployment in declared.of_type("apps/v1:Deployment"):
        pod = deployment.inputs["spec"]["template"]["spec"]
        for container in (*pod["initContainers"], *pod["containers"]):
            name = f"{deployment.inputs['metadata']['name']}/{container['name']}"
            found[name] = container["securityContext"]
    return found


def _build_ours(buildah: Buildah, image: str, stage: str, argument: str) -> None:
    options = ("--build-arg", argument, "--target", stage)
    buildah.build(image, ROOT, *options, dockerfile=_DOCKERFILE)
