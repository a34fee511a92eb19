"""Finds ARNs and addresses, in policies and anywhere else, that are of nothing in the graph."""

import re
from collections.abc import Iterator
from typing import Any

from tests.infra.recording import Declared

_ARN = re.compile(r"arn:aws:[^\s\"'\\,)}]+")
_QUEUE_URL = re.compile(r"https://sqs\.[^\s\"'\\,)}]+")
_CALLED = re.compile(r"arn:aws:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(.+)/invocations")
_PARTS = {
    "dynamodb": re.compile(r"/index/\w+"),
    "execute-api": re.compile(r"/\*/\*|/authorizers/[\w-]+"),
    "logs": re.compile(r":\*"),
    "s3": re.compile(r"/(\*|(failures|payloads|results)/([0-9a-f]{8})?\*|uploads/\*)"),
}
"""By service: what may follow the ARN of a resource."""


def unknown_arns(declared: Declared) -> set[str]:
    """Return each ARN that is neither a resource's nor a part's of one."""
    known = {
        text
        for resource in declared
        for key in ("arn", "executionArn")
        if isinstance(text := resource.outputs.get(key), str)
    }
    indexes = {
        f"{table.outputs['arn']}/index/{index['name']}"
        for table in declared.of_type("dynamodb/table:Table")
        for index in table.inputs.get("globalSecondaryIndexes", [])
    }
    found = {
        called[1] if (called := _CALLED.fullmatch(arn)) else arn for arn in _found(declared, _ARN)
    }
    return {arn for arn in found - known - indexes if not _is_part(arn, known)}


def unknown_queues(declared: Declared) -> set[str]:
    """Return each address of a queue that is of none in the graph."""
    known = {queue.outputs["url"] for queue in declared.of_type("sqs/queue:Queue")}
    return set(_found(declared, _QUEUE_URL)) - known


def _is_part(arn: str, known: set[str]) -> bool:
    service = arn.split(":")[2]
    if service not in _PARTS or "/index/" in arn:
        return False
    return any(
        arn.startswith(whole) and _PARTS[service].fullmatch(arn[len(whole) :]) for whole in known
    )


def _found(declared: Declared, pattern: re.Pattern[str]) -> Iterator[str]:
    for resource in declared:
        if not resource.is_component:
            for text in _texts(resource.inputs):
                yield from pattern.findall(text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in _texts(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in _texts(part))
