"""Sending a sample to a receiver, as the platform sends webhooks."""

import time
import uuid
from collections.abc import Mapping

from penstock.cli.webhooks.ports import WebhookPorts
from penstock.contracts.contract import Contract
from penstock.contracts.errors import SettingsError
from penstock.contracts.http.baseten import WebhookBody
from penstock.contracts.http.signature import webhook_headers
from penstock.contracts.http.webhook_url import ForbiddenTargetError
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.ports.webhooks import ReceiverAnswer, UnreachableReceiverError
from penstock.contracts.request import RequestId


class Trial(Contract):
    """What came of a sample."""

    url: str
    request_id: RequestId
    """What the sample says; no such request exists."""

    delivered: bool
    status: int | None = None
    """Of the receiver's answer, if there was one."""

    seconds: float
    reason: str
    consequence: str
    """What the platform does with a webhook that meets with the same."""


def send_sample(ports: WebhookPorts, url: str) -> Trial:
    """Send a signed sample to `url` from this machine, once."""
    now = utc_now()
    sample = WebhookBody(
        request_id=RequestId(uuid.uuid4().hex),
        model_id="sample",
        deployment_id="sample",
        time=now,
        data={"sample": True},
        errors=(),
    )
    body = sample.encoded()
    secrets = ports.secrets.read().active(now)
    if not secrets:
        raise SettingsError(
            "the stack has no active signing secret, so no webhook is sent;"
            " make one with 'penstock webhooks secrets rotate'"
        )
    event_id = f"{sample.request_id}.sample"
    headers = webhook_headers(sample.request_id, event_id, body, secrets, now)
    began = time.monotonic()
    answer, reason, consequence = _sent(ports, url, body, headers)
    return Trial(
        url=url,
        request_id=sample.request_id,
        delivered=answer is not None and answer.is_taken,
        status=answer.status if answer else None,
        seconds=round(time.monotonic() - began, 3),
        reason=reason,
        consequence=consequence,
    )


def _sent(
    ports: WebhookPorts, url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[ReceiverAnswer | None, str, str]:
    try:
        answer = ports.sender.send(ports.rules.read(url), body, headers)
    except ForbiddenTargetError as error:
        return None, f"refused by Penstock: {error.reason}", "it is given up at once"
    except UnreachableReceiverError as error:
        return None, error.reason, "it is sent again later"
    return answer, *_explained(answer)


def _explained(answer: ReceiverAnswer) -> tuple[str, str]:
    if answer.is_taken:
        return f"the receiver answered {answer.status}", "it is delivered"
    if answer.is_gone:
        return answer.reason, "it is given up at once"
    if answer.retry_after:
        later = f"it is sent again, not before Retry-After: {answer.retry_after}"
        return answer.reason, later
    return answer.reason, "it is sent again later"
