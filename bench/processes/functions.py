"""The handler of a function, called so many times; or the AWS calls that it cannot avoid."""

import importlib
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Literal

import boto3
from pydantic import BaseModel

from bench.backends.functions import intake_in_process
from bench.backends.in_process import InProcess
from bench.backends.requests import LAMBDA_CONTEXT, SUBMIT_BODY, proxy_event, waiting_requests
from bench.processes.starting import report, settings_text
from penstock.adapters.aws.requests.row import item_of
from penstock.contracts.ports.clock import utc_now

_WARM_UP = 20

What = Literal["intake", "bare intake", "status", "bare status", "intake ports", "bare ports"]


class FunctionSettings(BaseModel):
    """What is called, and how often."""

    what: What
    calls: int
    deployments: int = 1
    queue_url: str = ""
    request_id: str = ""


def _handler(function: str, event: Callable[[int], dict[str, Any]]) -> Callable[[int], object]:
    handle = importlib.import_module(f"functions.{function}.handler").handle

    def call(number: int) -> object:
        answer = handle(event(number), LAMBDA_CONTEXT)
        if answer["statusCode"] >= 300:  # noqa: PLR2004 - HTTP
            raise AssertionError(answer["body"])
        return answer

    return call


def _submission(deployments: int) -> Callable[[int], dict[str, Any]]:
    def event(number: int) -> dict[str, Any]:
        path = f"/models/model-{number % deployments}/production/async_predict"
        return proxy_event("POST", path, SUBMIT_BODY)

    return event


def _call(settings: FunctionSettings) -> Callable[[int], object]:
    match settings.what:
        case "intake":
            return _handler("intake", _submission(settings.deployments))
        case "status":
            path = f"/models/model-0/async_request/{settings.request_id}"
            return _handler("status", lambda _: proxy_event("GET", path))
        case "bare intake":
            return _bare_intake(settings.queue_url)
        case "bare status":
            return _bare_status(settings.request_id)
        case "intake ports":
            app, event = (
                intake_in_process(InProcess(), settings.deployments),
                _submission(settings.deployments),
            )
            return lambda number: app.serve(event(number))
        case "bare ports":
            return _bare_ports()


def _bare_intake(queue_url: str) -> Callable[[int], object]:
    dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
    requests = (
        (item_of(one.row, utc_now()), one.message.encoded())
        for one in waiting_requests(sys.maxsize)
    )
    ready = [next(requests) for _ in range(_WARM_UP)]

    def call(number: int) -> object:
        item, body = ready[number % _WARM_UP]
        item["request_id"] = {"S": f"{time.time_ns():032x}"}
        dynamodb.put_item(
            TableName="requests",
            Item=item,
            ConditionExpression="attribute_not_exists(request_id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return sqs.send_message(QueueUrl=queue_url, MessageBody=body, MessageGroupId="bench")

    return call


def _bare_status(request_id: str) -> Callable[[int], object]:
    dynamodb = boto3.client("dynamodb")
    key: Any = {"request_id": {"S": request_id}}
    return lambda _: dynamodb.get_item(TableName="requests", Key=key, ConsistentRead=True)


def _bare_ports() -> Callable[[int], object]:
    world, requests = InProcess(), waiting_requests(sys.maxsize)
    return lambda _: world.feed([next(requests)])


def main() -> None:
    """Call as the starter says."""
    settings = FunctionSettings.model_validate_json(settings_text())
    # What a handler prints, Lambda collects; a pipe that nobody reads would be the bench's.
    with redirect_stdout(StringIO()):
        call = _call(settings)
        for number in range(_WARM_UP):
            call(number)
        started, used = time.monotonic(), time.process_time()
        for number in range(settings.calls):
            call(number)
        spent = {
            "requests": settings.calls,
            "seconds": time.monotonic() - started,
            "cpu_seconds": time.process_time() - used,
        }
    report(spent)


if __name__ == "__main__":
    main()
