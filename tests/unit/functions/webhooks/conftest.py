"""The webhooks function in memory."""

import pytest

from tests.unit.functions.webhooks.deliveries import Webhooks
from tests.unit.functions.world import World


@pytest.fixture
def webhooks(world: World) -> Webhooks:
    return Webhooks(world)
