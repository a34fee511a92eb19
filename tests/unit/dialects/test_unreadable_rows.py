"""What callers hear of a request whose row another version of Penstock wrote."""

from collections.abc import Callable
from http import HTTPStatus

import pytest

from penstock.contracts.errors import UnreadableRowError
from penstock.dialects.baseten import errors as baseten
from penstock.dialects.datacrunch import errors as datacrunch
from penstock.dialects.error_answer import ErrorAnswer
from penstock.dialects.sagemaker import errors as sagemaker


@pytest.mark.parametrize(
    "answer", [baseten.error_answer, datacrunch.error_answer, sagemaker.error_answer]
)
def test_a_row_of_another_version_is_said_to_be_one(
    answer: Callable[[Exception], ErrorAnswer],
) -> None:
    status, body, _ = answer(UnreadableRowError("r1"))
    assert status is HTTPStatus.SERVICE_UNAVAILABLE
    assert "request r1 was written by another version" in body.model_dump_json()
