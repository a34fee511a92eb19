"""An API over a world in memory."""

import pytest

from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World


@pytest.fixture
def api(world: World) -> Api:
    return Api(world=world)
