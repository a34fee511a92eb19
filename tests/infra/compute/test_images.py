"""Images: built from what is in the tree, pushed by digest, started by that digest."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.image_context import fingerprint_of_context
from infra.artifacts.images import GPU_BASE
from infra.artifacts.workspace import ROOT
from infra.program import declare as declare_stack
from infra.settings.image_settings import ImageSettings
from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError
from tests.infra.conformance import faults
from tests.infra.recording import Declared, record

PINNED = "registry.example/python:3.13-slim@sha256:" + "0" * 64
DECLARED = {
    "dispatcher-image",
    "ocr-v1-server-image",
    "ocr-v2-server-image",
    "echo-v1-server-image",
}


def _image(stack: Declared, name: str) -> dict[str, Any]:
    return stack.named(name, "docker-build:index:Image").inputs


def _declared(settings: StackSettings, artifacts: Artifacts, **images: Any) -> Declared:
    changed = settings.model_copy(update={"images": ImageSettings.checked(images)})
    return record(lambda: declare_stack(changed, artifacts))


@pytest.fixture(scope="module")
def on_gpu_base(
    settings: StackSettings, artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory
) -> Declared:
    """A stack whose Truss directories name our base with CUDA."""
    folder = tmp_path_factory.mktemp("context")
    (folder / "Dockerfile").write_text(f"ARG PYVERSION=py311\nFROM {GPU_BASE} AS truss_server\n")
    (folder / "config.yaml").write_text("environment_variables: {}\n")
    changed = Artifacts(
        lambda_archive=artifacts.lambda_archive, model_context=lambda _truss: folder
    )
    return _declared(settings, changed, gpu_base=PINNED)


def test_pods_start_the_digest_that_was_pushed(stack: Declared) -> None:
    repositories = {r.name: r.outputs["repositoryUrl"] for r in stack.of_type(":Repository")}
    started = set()
    for deployment in stack.of_type("apps/v1:Deployment"):
        pod = deployment.inputs["spec"]["template"]["spec"]
        started |= {c["image"] for c in (*pod["initContainers"], *pod["containers"])}

    images = stack.of_type("docker-build:index:Image")
    assert {image.name for image in images} == DECLARED
    assert started == {
        f"{repositories[image.name.replace('-image', '-repository')]}@{image.outputs['digest']}"
        for image in images
    }


def test_an_image_is_pushed_by_digest_and_never_by_a_tag(stack: Declared) -> None:
    for name in DECLARED:
        image = _image(stack, name)
        url = stack.named(name.replace("-image", "-repository"), ":Repository").outputs
        assert image["exports"] == [
            {"registry": {"names": [url["repositoryUrl"]], "pushByDigest": True}}
        ]
        assert "tags" not in image
        assert image["push"] is False
        assert image["platforms"] == ["linux/amd64"]


def test_another_checkout_builds_nothing_again(stack: Declared) -> None:
    for name in DECLARED:
        image = _image(stack, name)
        for path in (image["context"]["location"], image["dockerfile"]["location"]):
            assert not os.path.isabs(path)  # noqa: PTH117 - it is no path of ours but an input
            assert Path(path).exists()


def test_the_login_is_secret(stack: Declared) -> None:
    for name in DECLARED:
        assert "registries" in stack.named(name, "docker-build:index:Image").secrets


def test_tags_never_move_and_images_are_scanned(stack: Declared) -> None:
    repositories = stack.of_type("ecr/repository:Repository")

    assert len(repositories) == len(DECLARED)
    for repository in repositories:
        assert repository.inputs["imageTagMutability"] == "IMMUTABLE"
        assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}


def test_every_repository_forgets_old_builds_but_keeps_some(stack: Declared) -> None:
    policies = stack.of_type("ecr/lifecyclePolicy:LifecyclePolicy")

    assert {p.inputs["repository"] for p in policies} == {
        r.outputs["name"] for r in stack.of_type("ecr/repository:Repository")
    }
    for policy in policies:
        (rule,) = json.loads(policy.inputs["policy"])["rules"]
        assert rule["selection"]["tagStatus"] == "any"
        assert rule["selection"]["countNumber"] >= 10


def test_an_image_tells_what_it_was_built_from(stack: Declared) -> None:
    labels = _image(stack, "dispatcher-image")["labels"]

    assert labels == {"org.opencontainers.image.revision": fingerprint_of_context(ROOT)}


def test_the_dispatcher_is_built_on_the_base_that_is_given(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    pinned = _declared(settings, artifacts, base=PINNED)

    assert _image(pinned, "dispatcher-image")["buildArgs"] == {"BASE_IMAGE": PINNED}


def test_without_one_the_dockerfile_says_which(stack: Declared) -> None:
    assert _image(stack, "dispatcher-image")["buildArgs"] == {}


@pytest.mark.parametrize("base", ["python:3.13-slim", "python@sha256:0", "python:3.13@sha512:1"])
def test_a_base_that_can_change_is_refused(base: str) -> None:
    with pytest.raises(SettingsError, match="can change under its tag"):
        ImageSettings.checked({"base": base})


def test_a_model_that_names_our_base_with_cuda_is_built_on_it(on_gpu_base: Declared) -> None:
    ours = on_gpu_base.named("gpu-image", "docker-build:index:Image")
    url = on_gpu_base.named("gpu-repository", ":Repository").outputs["repositoryUrl"]

    assert ours.inputs["target"] == "gpu"
    assert ours.inputs["buildArgs"] == {"GPU_BASE_IMAGE": PINNED}
    assert _image(on_gpu_base, "ocr-v2-server-image")["context"]["named"] == {
        GPU_BASE: {"location": f"docker-image://{url}@{ours.outputs['digest']}"}
    }


def test_nobody_builds_the_base_with_cuda_that_no_model_names(stack: Declared) -> None:
    assert _image(stack, "ocr-v2-server-image")["context"]["named"] == {}
    assert "gpu-image" not in {image.name for image in stack.of_type("docker-build:index:Image")}


def test_layers_are_kept_by_the_builder_alone(stack: Declared) -> None:
    for name in DECLARED:
        assert _image(stack, name)["cacheFrom"] == []
        assert _image(stack, name)["cacheTo"] == []


def test_runners_that_start_empty_keep_the_layers_of_each_image_apart(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    declared = _declared(settings, artifacts, cache="github")

    for name in DECLARED:
        scope = name.removesuffix("-image")
        image = declared.named(name, "docker-build:index:Image")
        assert image.inputs["cacheFrom"] == [{"gha": {"scope": scope}}]
        assert image.inputs["cacheTo"] == [
            {"gha": {"scope": scope, "mode": "max", "ignoreError": True}}
        ]
        assert faults(image) == []


def test_the_provider_takes_a_base_that_is_an_image(on_gpu_base: Declared) -> None:
    for image in on_gpu_base.of_type("docker-build:index:Image"):
        assert faults(image) == []
