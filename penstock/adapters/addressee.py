"""Whose request a message is about."""

from pydantic import ValidationError

from penstock.contracts.contract import Contract
from penstock.contracts.request import RequestId


class _AboutRequest(Contract):
    request_id: RequestId


def addressee(body: str) -> RequestId | None:
    """Return the request of a queue message or a notification; `None` if it cannot be read."""
    try:
        return _AboutRequest.model_validate_json(body).request_id
    except ValidationError:
        return None
