"""A receiver for tests that send."""

from collections.abc import Iterator

import pytest

from tests.integration.functions.receiver import Receiver, a_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as running:
        yield running
