"""Whole stacks, each declared once."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.conftest import stack_file
from tests.infra.graph.lifelike import Lifelike
from tests.infra.recording import Declared, record

MIRROR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mirror"


def settings_of(name: str) -> StackSettings:
    """Return an example's settings; those of `other` choose what neither example does."""
    example = "prod" if name == "other" else name
    values = StackSettings.read(stack_file(f"Pulumi.{example}.yaml.example"))
    if name != "other":
        return values
    other: dict[str, Any] = values.model_dump(mode="json", exclude_none=True)
    other["network"]["egress"] = "private"
    other["cluster"]["create"]["image_mirror"] = MIRROR
    other["cluster"]["create"]["fleet"]["autoscaler"] = "karpenter"
    other["models"]["ocr"]["deployments"]["v1"]["watch_spot_notice"] = True
    return StackSettings.checked(other)


@pytest.fixture(scope="session")
def declared_stack(artifacts: Artifacts) -> Callable[[str], Declared]:
    """Declares a stack at the first call for it."""

    @cache
    def declared(name: str) -> Declared:
        settings = settings_of(name)
        answers = Lifelike(settings.region)
        return record(lambda: declare_stack(settings, artifacts), stack=name, answers=answers)

    return declared


@pytest.fixture(scope="session", params=["dev", "prod", "other"])
def graph(request: pytest.FixtureRequest, declared_stack: Callable[[str], Declared]) -> Declared:
    """Each whole stack in turn."""
    return declared_stack(request.param)
