"""A few random calls of every documented operation, in this process."""

import pytest
from schemathesis import GenerationMode

from penstock.dialects.openapi import document
from tests.fuzz.campaign import Campaign, Operation, operations
from tests.fuzz.in_process import URL, in_process

pytestmark = pytest.mark.fuzz

EXAMPLES = 8


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    session, api_key, known = in_process()
    return Campaign(base_url=URL, session=session, api_key=api_key, known=known)


def test_every_documented_operation_is_called() -> None:
    documented = [method for path in document()["paths"].values() for method in path]
    assert len(operations()) == len(documented)


@pytest.mark.parametrize("mode", GenerationMode, ids=str)
@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_every_answer_is_documented_and_none_is_an_error_of_ours(
    campaign: Campaign, operation: Operation, mode: GenerationMode
) -> None:
    campaign.attack(operation, mode, EXAMPLES, chance=1)
