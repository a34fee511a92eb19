"""What tests of all functions need."""

from collections.abc import Iterator

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from tests.unit.functions.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Return a log whose `text` is what CloudWatch would hold."""
    usual = caplog.handler.formatter
    caplog.handler.setFormatter(LambdaPowertoolsFormatter())
    yield caplog
    caplog.handler.setFormatter(usual)
