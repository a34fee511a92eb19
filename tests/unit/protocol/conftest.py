"""A world of rows and objects, at rest."""

from datetime import UTC, datetime

import pytest

from penstock.adapters.in_memory import FakeClock
from tests.unit.dispatcher.conftest import World


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC))


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)
