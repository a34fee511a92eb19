"""An error as a dialect answers it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from penstock.contracts.contract import Contract


class ErrorAnswer(NamedTuple):
    """What a caller is told about an error."""

    status: HTTPStatus
    body: Contract
    headers: Mapping[str, str]
