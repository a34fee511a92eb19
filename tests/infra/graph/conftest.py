"""Whole stacks to look at."""

import pytest

from tests.infra.conftest import Stacks
from tests.infra.recording import Declared


@pytest.fixture(scope="session", params=["dev", "prod", "other"])
def graph(request: pytest.FixtureRequest, declared_stack: Stacks) -> Declared:
    """Each whole stack in turn."""
    return declared_stack(request.param)
