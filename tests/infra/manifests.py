"""Kubernetes' own schemas, as the package that carries them has them."""

from collections.abc import Mapping
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types


def check_manifest(manifest: Mapping[str, Any], version: str) -> None:
    """Raise if a cluster of `version` would refuse `manifest` or not know one of its keys."""
    kubernetes_validate.validate(manifest, version, strict=True)
