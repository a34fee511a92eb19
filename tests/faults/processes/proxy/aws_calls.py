"""What a dispatcher's HTTP call to AWS does: which step of the protocol, of which requests."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_plus

from penstock.contracts.request import RequestState

_REQUEST_ID = re.compile(r"request_id[\W_S]+([0-9a-f]{32})")
_OBJECT = re.compile(r"/(?:results|failures|payloads)/([0-9a-f]{32})")
_ENDS = {state.value for state in RequestState if state.is_terminal}


class Step(StrEnum):
    """A call that the protocol makes."""

    RECEIVE = "receive"
    CLAIM = "claim"
    LOAD = "load"
    STORE = "store"
    FINISH = "finish"
    PUBLISH = "publish"
    MARK = "mark notified"
    DELETE = "delete"
    RENEW = "renew"
    RELEASE = "release"
    HIDE = "hide"
    OTHER = "other"


_OF_TARGET = {
    "ReceiveMessage": Step.RECEIVE,
    "DeleteMessageBatch": Step.DELETE,
    "ChangeMessageVisibilityBatch": Step.HIDE,
}
_OF_METHOD = {"GET": Step.LOAD, "PUT": Step.STORE}


@dataclass(frozen=True)
class AwsCall:
    """One call, understood as far as tests need it."""

    service: str
    step: Step
    request_ids: frozenset[str]

    @classmethod
    def of(cls, method: str, path: str, target: str, body: bytes) -> "AwsCall":
        """Understand a call by what every AWS SDK puts into it."""
        if found := _OBJECT.search(path):
            return cls("s3", _OF_METHOD.get(method, Step.OTHER), frozenset(found.groups()))
        service, _, operation = target.partition(".")
        ids = mentioned(body)
        if operation == "UpdateItem":
            return cls("dynamodb", _update(json.loads(body)), ids)
        if b"Action=PublishBatch" in body:
            return cls("sns", Step.PUBLISH, ids)
        service = {"AmazonSQS": "sqs"}.get(service, "dynamodb" if target else "s3")
        return cls(service, _OF_TARGET.get(operation, Step.OTHER), ids)


def mentioned(body: bytes) -> frozenset[str]:
    """Return the ids of requests that occur in a body."""
    return frozenset(_REQUEST_ID.findall(unquote_plus(body.decode(errors="replace"))))


def _update(arguments: dict[str, dict[str, dict[str, str]]]) -> Step:
    values = arguments["ExpressionAttributeValues"]
    state = values.get(":new_state", {}).get("S")
    if ":add_attempt" in values:
        return Step.CLAIM
    if state in _ENDS:
        return Step.FINISH
    if state == RequestState.QUEUED:
        return Step.RELEASE
    if ":new_notified_at" in values:
        return Step.MARK
    return Step.RENEW if ":new_lease_until" in values else Step.OTHER
