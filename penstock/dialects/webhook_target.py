"""Telling a caller at once that webhooks will not be sent to its URL."""

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.webhook_url import ForbiddenTargetError, WebhookRules


def check_webhook_target(url: str, rules: WebhookRules) -> None:
    """Pass if webhooks may be sent to `url`; where its name leads is checked when sending.

    Raises:
        InvalidSubmissionError: they may not; the reason says what is wrong with it.
    """
    try:
        rules.read(url)
    except ForbiddenTargetError as error:
        raise InvalidSubmissionError("webhook_endpoint", error.reason) from error
