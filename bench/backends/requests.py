"""Requests to measure with."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.message import QueueMessage
from penstock.contracts.request import AsyncRequest, Tenant
from penstock.contracts.submission import Submission

TENANT = Tenant("bench")
PAYLOAD = b'{"text": "one small request, as most are"}'
SUBMIT_BODY = json.dumps({"model_input": json.loads(PAYLOAD), "priority": 1}).encode()


@dataclass(frozen=True)
class _Context:
    function_name: str = "bench"
    memory_limit_in_mb: int = 256
    aws_request_id: str = "bench"
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:bench"


LAMBDA_CONTEXT: Any = _Context()
"""What Lambda tells a function of itself."""


class Waiting(NamedTuple):
    """A request that was accepted: its row, and the message that says so."""

    row: AsyncRequest
    message: QueueMessage

    @property
    def priority(self) -> int:
        """The lane of the message."""
        return self.row.priority


def waiting_requests(
    count: int, priority: int | None = None, max_time_in_queue_seconds: int = 86_400
) -> Iterator[Waiting]:
    """Yield accepted requests; without a priority they take turns between all three."""
    for number in range(count):
        submission = Submission(
            tenant=TENANT,
            payload=PAYLOAD,
            priority=number % 3 if priority is None else priority,
            max_time_in_queue_seconds=max_time_in_queue_seconds,
        )
        row = submission.accepted("model-0", "model-0-v1", datetime.now(UTC))
        message = QueueMessage.inline(row.request_id, PAYLOAD, submission.content_type)
        if message is None:
            raise AssertionError("the payload fits into a message")
        yield Waiting(row, message)


def models(queue_urls: list[tuple[str, str, str]]) -> list[Model]:
    """Return one model for each three queues; requests are those of the first."""
    return [
        Model(
            model_id=f"model-{number}",
            environments={"production": f"model-{number}-v1"},
            deployments={
                f"model-{number}-v1": Deployment(
                    model_id=f"model-{number}",
                    deployment_id=f"model-{number}-v1",
                    queue_urls=urls,
                    dead_letter_queue_url="dead",
                )
            },
        )
        for number, urls in enumerate(queue_urls)
    ]


_HOST = "bench.execute-api.eu-central-1.amazonaws.com"
_HEADERS = {
    "Accept": "*/*",
    "Authorization": "Bearer abcdefgh.secret",
    "Content-Type": "application/json",
    "Host": _HOST,
    "User-Agent": "bench",
    "X-Forwarded-For": "203.0.113.7",
}


def proxy_event(method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    """Return a call as API Gateway hands it to a function (payload format 1.0)."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": dict(_HEADERS),
        "multiValueHeaders": {name: [value] for name, value in _HEADERS.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": {
            "authorizer": {"principalId": "abcdefgh", "tenant": TENANT, "integrationLatency": 1},
            "httpMethod": method,
            "path": f"/live{path}",
            "domainName": _HOST,
            "stage": "live",
            "requestId": "bench",
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": None if body is None else body.decode(),
        "isBase64Encoded": False,
    }
