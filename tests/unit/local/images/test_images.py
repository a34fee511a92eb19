from pathlib import Path
from typing import Any

import pytest

from penstock.local.pods.images.images import OwnImage, images_by_reference
from penstock.local.pods.workload import WorkloadError


def declared(folder: Path, name: str) -> dict[str, Any]:
    registry = {"names": [f"registry/{name}"], "push": True}
    return {
        "context": {"location": str(folder)},
        "exports": [{"registry": registry}],
        "digest": "sha256:1",
    }


def test_an_image_is_what_was_built_of_its_context(tmp_path: Path) -> None:
    root, echo, built = tmp_path / "root", tmp_path / "echo", OwnImage(("echo",))
    images = [declared(root, "dispatcher"), declared(echo, "echo")]

    assert images_by_reference(images, root, {echo: built}) == {
        "registry/dispatcher@sha256:1": OwnImage(),
        "registry/echo@sha256:1": built,
    }


def test_an_image_that_nothing_was_built_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="which no deployment names"):
        images_by_reference([declared(tmp_path / "other", "other")], tmp_path, {})
