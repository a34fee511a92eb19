"""AWS clients that a test answers for; none opens a socket."""

from collections.abc import Iterator

import pytest

from penstock.adapters.aws.clients import forget_clients
from tests.aws_variables import set_aws_variables


@pytest.fixture
def aws_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_aws_variables(monkeypatch)
    forget_clients()
    yield
    forget_clients()
