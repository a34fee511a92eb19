"""What API Gateway itself answers, in the words our functions use: `{"error": …}`."""

import json
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from penstock.contracts.http.baseten import ErrorBody


class GatewayAnswer(NamedTuple):
    """An answer that no function gave."""

    response_type: str
    status: int | None
    """`None` leaves the status to API Gateway."""

    error: str | None
    """`None` takes the text from API Gateway."""

    error_code: str


ANSWERS = (
    GatewayAnswer("UNAUTHORIZED", 401, "no valid API key was sent", "unauthorized"),
    GatewayAnswer("ACCESS_DENIED", 403, "this API key may not do that", "unauthorized"),
    # API Gateway says 403 "Missing Authentication Token" when no route matches.
    GatewayAnswer("MISSING_AUTHENTICATION_TOKEN", 404, "no such path or method", "client_error"),
    GatewayAnswer("RESOURCE_NOT_FOUND", 404, "no such path or method", "client_error"),
    GatewayAnswer("REQUEST_TOO_LARGE", 413, "the body is too large", "payload_too_large"),
    GatewayAnswer("THROTTLED", 429, "too many calls; wait and try again", "rate_limited"),
    GatewayAnswer("QUOTA_EXCEEDED", 429, "too many calls; wait and try again", "rate_limited"),
    GatewayAnswer("INTEGRATION_TIMEOUT", 504, "no answer in time; try again", "timeout"),
    # The firewall's own status: 429 to those who call too often, else 403.
    GatewayAnswer("WAF_FILTERED", None, "the firewall refused this call", "client_error"),
    GatewayAnswer("DEFAULT_4XX", None, None, "client_error"),
    GatewayAnswer("DEFAULT_5XX", None, "internal error; try again", "internal_baseten_error"),
)


def declare_answers(
    name: str, api: aws.apigateway.RestApi, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Declare all answers."""
    return [
        aws.apigateway.Response(
            f"{name}-{answer.response_type.lower().replace('_', '-')}",
            rest_api_id=api.id,
            response_type=answer.response_type,
            status_code=str(answer.status) if answer.status else None,
            response_templates={"application/json": _template(answer)},
            opts=opts,
        )
        for answer in ANSWERS
    ]


def _template(answer: GatewayAnswer) -> str:
    if answer.error is not None:
        body = ErrorBody(error=answer.error, error_code=answer.error_code)
        return body.model_dump_json(exclude_none=True)
    # `messageString` brings its own quotes.
    return f'{{"error":$context.error.messageString,"error_code":{json.dumps(answer.error_code)}}}'
