"""The authorizer's event in, an IAM policy out."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger

from functions.authorizer.service import AuthorizerService
from functions.telemetry import Count
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.errors import UnauthorizedError
from penstock.contracts.observability.metric_names import FunctionMetric

Authorize = Callable[[Mapping[str, Any]], dict[str, Any]]

_logger = Logger(service="authorizer")


class UnauthorizedAnswer(Exception):  # noqa: N818 - API Gateway reads the text, nobody catches it
    """What makes API Gateway answer 401: it compares the text, letter by letter."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def create_authorizer(service: AuthorizerService, count: Count) -> Authorize:
    """Return a function from a REQUEST authorizer's event to its policy."""

    def authorize(event: Mapping[str, Any]) -> dict[str, Any]:
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        try:
            key = service.authenticate(headers.get("authorization"))
        except UnauthorizedError as error:
            count(FunctionMetric.CALLERS_REFUSED)
            _logger.info("caller refused", extra={"reason": str(error)})
            raise UnauthorizedAnswer from error
        count(FunctionMetric.CALLERS_AUTHORIZED)
        return _policy(key, event["methodArn"])

    return authorize


def _policy(key: ApiKey, method_arn: str) -> dict[str, Any]:
    # The answer is cached by key, not by path, so it must hold for the whole stage.
    stage_arn = "/".join(method_arn.split("/")[:2])
    return {
        "principalId": key.prefix,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": f"{stage_arn}/*",
                }
            ],
        },
        "context": {"tenant": key.tenant, "key_prefix": key.prefix},
    }
