"""How a request lies in DynamoDB: one plain item, with what the sweeper's index needs.

Times are whole microseconds since 1970, so that conditions can compare them; `purge_at` is in
whole seconds, as DynamoDB's TTL demands. What is structured is JSON text; what has no value is
absent.
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from penstock.contracts.request import AsyncRequest, RequestId, RequestState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SWEEP_SHARDS = 10
"""Over so many index partitions the rows that need the sweeper are spread."""

_LAPSED_LEASE = timedelta(seconds=60)
_LOST_RETRY = timedelta(minutes=15)
_LOST_NOTIFICATION = timedelta(seconds=60)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENTS = {"created_at", "status_at", "deadline_at", "lease_until", "notified_at"}
_DOCUMENTS = {"retry", "faults", "result"}


def item_of(request: AsyncRequest, now: datetime) -> dict[str, "AttributeValueTypeDef"]:
    """Return the item of a new row."""
    values: dict[str, object] = {name: getattr(request, name) for name in AsyncRequest.model_fields}
    values["purge_at"] = -((_EPOCH - request.purge_at) // timedelta(seconds=1))  # rounds up
    values |= {"sweep_shard": _sweep_shard(request.request_id)}
    values |= sweep(
        request.state,
        now,
        deadline_at=None if request.was_claimed else request.deadline_at,
        lease_until=request.lease_until,
    )
    return {name: _attribute(value) for name, value in values.items() if not _is_absent(value)}


def request_of(item: "Mapping[str, AttributeValueTypeDef]") -> AsyncRequest:
    """Return the request that lies in an item."""
    return AsyncRequest.model_validate(
        {name: _python_value(name, attribute) for name, attribute in item.items()}
    )


def changes_between(before: AsyncRequest, after: AsyncRequest, now: datetime) -> dict[str, object]:
    """Return what an update must write to turn one into the other."""
    changes: dict[str, object] = {
        name: value
        for name in AsyncRequest.model_fields
        if (value := getattr(after, name)) != getattr(before, name)
    }
    if after.state is not before.state:
        changes |= sweep(after.state, now, lease_until=after.lease_until)
    return changes


def sweep(
    state: RequestState,
    now: datetime,
    *,
    deadline_at: datetime | None = None,
    lease_until: datetime | None = None,
) -> dict[str, object]:
    """Return when the sweeper should look at a row that has just come into `state`.

    `deadline_at` is given for a row that was never claimed; once claimed it can no longer expire.
    """
    match state:
        case RequestState.QUEUED:
            return {"sweep_at": deadline_at or now + _LOST_RETRY}
        case RequestState.IN_PROGRESS:
            return {"sweep_at": (lease_until or now) + _LAPSED_LEASE}
        case RequestState.CANCELED:
            return dict(UNSWEPT)
        case _:
            return {"sweep_at": now + _LOST_NOTIFICATION}


UNSWEPT: Mapping[str, object] = {"sweep_shard": None, "sweep_at": None}
"""The changes that take a row out of the sweeper's index."""


def update_arguments(
    changes: Mapping[str, object],
    condition: str,
    values: Mapping[str, object],
    *,
    add: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return the expressions of an `UpdateItem`.

    In `condition` an attribute is `#name` and a value `:name`; values that it does not mention
    are left out, because DynamoDB refuses them.
    """
    add = add or {}
    clauses = {
        "SET": [f"#{name} = :new_{name}" for name, new in changes.items() if not _is_absent(new)],
        "REMOVE": [f"#{name}" for name, new in changes.items() if _is_absent(new)],
        "ADD": [f"#{name} :add_{name}" for name in add],
    }
    update = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)
    known = {
        **{f":{name}": value for name, value in values.items()},
        **{f":new_{name}": value for name, value in changes.items()},
        **{f":add_{name}": value for name, value in add.items()},
    }
    expressions = f"{update} {condition}"
    return {
        "UpdateExpression": update,
        "ConditionExpression": condition,
        # Every name is aliased: `state` and many others are reserved words.
        "ExpressionAttributeNames": {alias: alias[1:] for alias in _found(r"#\w+", expressions)},
        "ExpressionAttributeValues": {
            alias: _attribute(known[alias]) for alias in _found(r":\w+", expressions)
        },
    }


def _found(pattern: str, text: str) -> Iterable[str]:
    return dict.fromkeys(re.findall(pattern, text))


def _sweep_shard(request_id: RequestId) -> str:
    return str(zlib.crc32(request_id.encode()) % SWEEP_SHARDS)


def _is_absent(value: object) -> bool:
    return value is None or value == ()


def _attribute(value: object) -> "AttributeValueTypeDef":
    match value:
        case bool():
            return {"BOOL": value}
        case datetime():
            return {"N": str((value - _EPOCH) // timedelta(microseconds=1))}
        case int() | float():
            return {"N": str(value)}
        case str():
            return {"S": str(value)}
        case _:
            return {"S": to_json(value).decode()}


def _python_value(name: str, attribute: "AttributeValueTypeDef") -> object:
    value: Any = next(iter(attribute.values()))
    if name in _MOMENTS:
        return _EPOCH + timedelta(microseconds=int(value))
    if name == "purge_at":
        return _EPOCH + timedelta(seconds=int(value))
    return from_json(value) if name in _DOCUMENTS else value
