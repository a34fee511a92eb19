"""Events as AWS sends them; the JSON files are recorded, with account and ids replaced."""

import base64
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from penstock.contracts.notification import Notification


def _recorded(name: str) -> dict[str, Any]:
    return dict(json.loads((Path(__file__).parent / f"{name}.json").read_text()))


def proxy_event(  # noqa: PLR0913 - a call has as many parts
    method: str,
    path: str,
    body: str | bytes | None = None,
    *,
    tenant: str = "acme",
    host: str | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return a call of a REST API; a body of bytes travels as base64."""
    event = _recorded("rest_proxy")
    context = event["requestContext"]
    event |= {"httpMethod": method, "path": path, "queryStringParameters": query}
    context |= {"httpMethod": method, "path": f"/{context['stage']}{path}"}
    context["authorizer"]["tenant"] = tenant
    event["headers"] |= headers or {}
    if host:
        context["domainName"] = event["headers"]["Host"] = host
        if ".execute-api." not in host:  # a name of one's own shows no stage
            context["path"] = path
    is_binary = isinstance(body, bytes)
    event["isBase64Encoded"] = is_binary
    event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


def authorizer_event(**headers: str) -> dict[str, Any]:
    """Return the question of a REST API to its REQUEST authorizer."""
    event = _recorded("rest_authorizer")
    event["headers"] |= headers
    return event


def queue_event(*notifications: Notification | str, receive_count: int = 1) -> dict[str, Any]:
    """Return a batch of the webhook queue; message ids are m0, m1, …."""
    (recorded,) = _recorded("sqs")["Records"]
    records = []
    for index, notification in enumerate(notifications):
        record = deepcopy(recorded)
        record |= {"messageId": f"m{index}", "receiptHandle": f"receipt-{index}"}
        record["body"] = (
            notification if isinstance(notification, str) else notification.model_dump_json()
        )
        record["attributes"]["ApproximateReceiveCount"] = str(receive_count)
        records.append(record)
    return {"Records": records}
