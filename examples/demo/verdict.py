"""Whether a reading arrived whole: by webhook, through the API and in the bucket."""

import json
from dataclasses import dataclass, field
from typing import Any

from examples.demo.reading import Reading
from examples.demo.webhook_receiver import ReceivedWebhook, WebhookReceiver
from penstock.client import ClientError
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.request import RequestId

_WEBHOOK_SECONDS = 60.0


@dataclass
class Verdict:
    """What was found of one reading."""

    reading: Reading
    webhook: ReceivedWebhook | None = None
    stored: StoredObject | None = None
    text: str = ""
    problems: list[str] = field(default_factory=list)
    """What did not match; empty if all did."""


def judge(reading: Reading, receiver: WebhookReceiver, results: ResultStore) -> Verdict:
    """Compare the three ways in which the result of a reading can be had."""
    verdict = Verdict(reading)
    if reading.handle is None or reading.status is None:
        verdict.problems.append(f"not accepted: {reading.refusal}")
        return verdict
    if reading.status.status != "SUCCEEDED":
        faults = "; ".join(f"{fault.code}: {fault.message}" for fault in reading.status.errors)
        verdict.problems.append(f"ended {reading.status.status} {faults}".rstrip())
        return verdict
    try:
        answered = reading.handle.fetch_result().content
    except ClientError as error:
        verdict.problems.append(f"the API does not give its result: {error}")
        return verdict
    request_id = RequestId(reading.handle.request_id)
    verdict.stored = results.find_result(request_id)
    verdict.webhook = receiver.wait_for(request_id, _WEBHOOK_SECONDS)
    _compare(verdict, answered, results)
    return verdict


def _compare(verdict: Verdict, answered: bytes, results: ResultStore) -> None:
    if verdict.stored is None:
        verdict.problems.append("no object in the results bucket")
    elif results.read(verdict.stored) != answered:
        verdict.problems.append(f"{verdict.stored.uri} has other bytes than the API answered")
    output: Any = json.loads(answered)
    if verdict.webhook is None:
        verdict.problems.append(f"no verified webhook within {_WEBHOOK_SECONDS:g} s")
    elif verdict.webhook.body.data != output:
        verdict.problems.append("the webhook delivered other data than is stored")
    verdict.text = str(output.get("text", ""))
    known = verdict.reading.page.known_text
    if known and known not in verdict.text:
        verdict.problems.append(f"the recognised text lacks {known!r}")
