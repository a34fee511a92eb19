"""The built images, and a local stack whose pods run from them."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.artifacts.workspace import CACHE
from tests.e2e.stack import Stack, running_stack
from tests.images.buildah import Buildah, obstacle, step
from tests.images.built_images import (
    DISPATCHER,
    ECHO,
    SERVERS,
    build_dispatcher,
    build_servers,
    security_contexts,
    stack_file,
    truss_on_gpu_base,
)
from tests.images.container import BuiltContainer, BuiltContainers


@pytest.fixture(scope="session")
def buildah() -> Buildah:
    """What builds; its store outlives the check, so that bases are made once."""
    if reason := obstacle():
        pytest.skip(f"no image can be built here: {reason}")
    store = CACHE / "images"
    store.mkdir(parents=True, exist_ok=True)
    return Buildah(store)


@pytest.fixture(scope="session")
def trusses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By model."""
    return {"echo": ECHO, "gpu": truss_on_gpu_base(tmp_path_factory.mktemp("truss"))}


@pytest.fixture(scope="session")
def built(buildah: Buildah, trusses: dict[str, Path]) -> Buildah:
    """Where all images are."""
    buildah.tidy()
    build_dispatcher(buildah)
    build_servers(buildah, trusses)
    buildah.tidy()
    for image in (DISPATCHER, *SERVERS.values()):
        sys.stderr.write(f"  {image} is {buildah.size(image)}\n")
    return buildah


@pytest.fixture(scope="session")
def roots(built: Buildah) -> Iterator[dict[str, Path]]:
    """The files of each image."""
    with ExitStack() as mounted:
        yield {
            image: mounted.enter_context(built.mounted(image))
            for image in (DISPATCHER, *SERVERS.values())
        }


@pytest.fixture(scope="session")
def stack(
    built: Buildah,
    roots: dict[str, Path],
    trusses: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A local stack with one worker for each model."""
    folder = tmp_path_factory.mktemp("stack")
    settings, containers = stack_file(trusses), folder / "containers.json"
    (folder / "Pulumi.images.yaml").write_text(settings)
    security = security_contexts(folder / "Pulumi.images.yaml")
    images = {f"{model}-v1/dispatcher": DISPATCHER for model in trusses}
    images |= {f"{model}-v1/model-server": SERVERS[model] for model in trusses}
    found = {
        name: BuiltContainer.of(roots[image], built.config(image), security[name])
        for name, image in images.items()
    }
    containers.write_bytes(BuiltContainers.dump_json(found))
    program = (sys.executable, "-m", "tests.images.stack_program", "--containers", str(containers))
    with ExitStack() as running:
        with step("a local stack on these images"):
            stack = running.enter_context(running_stack(folder, settings, program))
        yield stack
