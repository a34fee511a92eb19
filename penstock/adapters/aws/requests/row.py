"""How a request lies in DynamoDB: one plain item, with what the indexes need.

Times are whole microseconds since 1970, so that conditions can compare them; `purge_at` is in
whole seconds, as DynamoDB's TTL demands. What is structured is JSON text; what has no value is
absent. Index `sweep` (`sweep_shard`, `sweep_at`) holds rows that somebody must look at, index
`open` (`open_tenant`, `created_at`) those that have not ended. By `listed` (`list_key`,
`created_at`) and `caller` (`caller_key`, `created_at`) rows are found; their keys never change.
"""

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from penstock.adapters.listing import caller_key, list_key, microseconds_of
from penstock.adapters.sweeping import due_at
from penstock.contracts.errors import UnreadableRowError
from penstock.contracts.request import AsyncRequest, RequestId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SWEEP_SHARDS = tuple("0123456789")
"""Over these index partitions the rows that need the sweeper are spread."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENTS = {"created_at", "status_at", "deadline_at", "lease_until", "notified_at"}
_DOCUMENTS = {"retry", "refusal", "faults", "result", "destination", "invocation"}


def item_of(request: AsyncRequest, now: datetime) -> dict[str, "AttributeValueTypeDef"]:
    """Return the item of a new row."""
    values = _values(request) | _indexed(request, now) | _found_by(request)
    return {name: attribute_of(value) for name, value in values.items() if not is_absent(value)}


def request_of(item: "Mapping[str, AttributeValueTypeDef]") -> AsyncRequest:
    """Return the request that lies in an item.

    Raises:
        UnreadableRowError: another version wrote it, in a way that this one does not understand.
    """
    try:
        return AsyncRequest.model_validate(
            {name: _python_value(name, attribute) for name, attribute in item.items()}
        )
    except (ValueError, OverflowError) as error:
        raise UnreadableRowError(request_id_of(item)) from error


def request_id_of(item: "Mapping[str, AttributeValueTypeDef]") -> RequestId:
    """Return whose item it is."""
    return RequestId(item["request_id"]["S"])


def changes_between(before: AsyncRequest, after: AsyncRequest, now: datetime) -> dict[str, object]:
    """Return what an update must write to turn one into the other."""
    old, new = _values(before), _values(after)
    changes = {name: value for name, value in new.items() if value != old[name]}
    if after.state is not before.state:
        changes |= _indexed(after, now)
    return changes


NOT_SWEPT: Mapping[str, object] = {"sweep_shard": None, "sweep_at": None}
"""The changes that take a row out of the sweeper's index."""

NOT_OPEN: Mapping[str, object] = {"open_tenant": None}
"""The change that takes a row out of the index of those that have not ended."""


def attribute_of(value: object) -> "AttributeValueTypeDef":
    """Return a value as DynamoDB keeps it."""
    match value:
        case bool():
            return {"BOOL": value}
        case datetime():
            return {"N": str(microseconds_of(value))}
        case int() | float():
            return {"N": str(value)}
        case str():
            return {"S": str(value)}
        case _:
            return {"S": to_json(value).decode()}


def is_absent(value: object) -> bool:
    """Whether a value is kept by keeping nothing."""
    return value is None or value == ()


def _values(request: AsyncRequest) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(request, name) for name in AsyncRequest.model_fields}
    values["purge_at"] = -((_EPOCH - request.purge_at) // timedelta(seconds=1))  # rounds up
    return values


def _indexed(request: AsyncRequest, now: datetime) -> dict[str, object]:
    open_tenant = {} if request.state.is_terminal else {"open_tenant": request.tenant}
    due = due_at(request, now)
    swept = {"sweep_shard": _sweep_shard(request.request_id), "sweep_at": due} if due else {}
    return {**NOT_SWEPT, **NOT_OPEN, **swept, **open_tenant}


def _found_by(request: AsyncRequest) -> dict[str, object]:
    caller_id = request.caller_id
    return {
        "list_key": list_key(request.tenant, request.deployment_id),
        "caller_key": None if caller_id is None else caller_key(request.tenant, caller_id),
    }


def _sweep_shard(request_id: RequestId) -> str:
    return SWEEP_SHARDS[zlib.crc32(request_id.encode()) % len(SWEEP_SHARDS)]


def _python_value(name: str, attribute: "AttributeValueTypeDef") -> object:
    value: Any = next(iter(attribute.values()))
    if name in _MOMENTS:
        return _EPOCH + timedelta(microseconds=int(value))
    if name == "purge_at":
        return _EPOCH + timedelta(seconds=int(value))
    return from_json(value) if name in _DOCUMENTS else value
