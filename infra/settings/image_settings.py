"""What images are built on."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from infra.settings.settings import Settings

_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")


def _pinned(image: str) -> str:
    if not _DIGEST.fullmatch(image):
        raise ValueError(f"{image!r} can change under its tag; write repository@sha256:<digest>")
    return image


PinnedImage = Annotated[str, AfterValidator(_pinned)]
"""An image that stays what it is."""


class ImageSettings(Settings):
    """What the images of a stack are built on, and where layers are kept between builds."""

    base: PinnedImage | None = None
    """The base of the dispatcher's image: `python:3.13-slim@sha256:<digest>`, with the digest that
    `docker buildx imagetools inspect python:3.13-slim` prints. Absent: whatever lies under that tag
    when the image is built."""

    gpu_base: PinnedImage | None = None
    """The base of `localhost/penstock-gpu`, which a Truss directory may name as its `base_image`:
    an Ubuntu or Debian with CUDA's runtime. Absent: `nvidia/cuda` under the tag that
    `runtime_image/Dockerfile` names."""

    cache: Literal["builder", "github"] = "builder"
    """Where layers are kept between builds: by the builder itself, or also in the cache of GitHub
    Actions, for runners that start empty (they need `crazy-max/ghaction-github-runtime`)."""
