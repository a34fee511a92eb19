"""Telling a caller at once that webhooks will not be sent to its URL."""

from collections.abc import Collection

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.webhook_url import HTTPS_PORT, ForbiddenTargetError, WebhookRules


def check_webhook_target(
    url: str, *, allow_local: bool, ports: Collection[int] = (HTTPS_PORT,)
) -> None:
    """Pass if webhooks may be sent to `url`; where its name leads is checked when sending.

    Args:
        url: What the caller gave.
        allow_local: Whether loopback is a target too, over http or https (for development).
        ports: The ports that webhooks may be sent to.

    Raises:
        InvalidSubmissionError: they may not; the reason says what is wrong with it.
    """
    try:
        WebhookRules(allow_local=allow_local, ports=ports).read(url)
    except ForbiddenTargetError as error:
        raise InvalidSubmissionError("webhook_endpoint", error.reason) from error
