"""Looking at dead letters, running their requests again, letting them go."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from penstock.cli.dlq.ports import DeadLetterPorts
from penstock.contracts.contract import Contract
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import (
    ClaimRefusedError,
    PenstockError,
    PlaceRefusedError,
    UnknownModelError,
)
from penstock.contracts.message import MalformedMessageError, QueueMessage
from penstock.contracts.outcome import Fault
from penstock.contracts.ports.dead_letters import DeadLetter
from penstock.contracts.request import AsyncRequest, RequestId, RequestState

_BATCH = 10
_HIDDEN_SECONDS = 300.0
"""Long enough to settle what was looked at; what is left then shows again by itself."""

_HELD_ELSEWHERE_PAUSES, _PAUSE_SECONDS = 8, 5.0
"""How often and how long to wait for letters that somebody else looks at; a sweep takes 10 s."""

_PAYLOAD_HEAD_BYTES = 2_000
_REOPENED = {RequestState.FAILED, RequestState.EXPIRED}


class NoLetterError(PenstockError):
    """There is no dead letter of this request."""


@dataclass(frozen=True)
class Found:
    """A letter and the deployment whose queue it lies in."""

    deployment: Deployment
    letter: DeadLetter


class LetterLine(Contract):
    """One line of a list of letters."""

    deployment_id: str
    request_id: RequestId | None
    state: str
    """The request's, `unknown` when its row is gone, `unreadable` when there is none."""

    priority: int | None
    sent_at: datetime
    reason: str


class LetterDetails(LetterLine):
    """Everything that is known of one letter."""

    tenant: str | None
    attempts: int | None
    faults: tuple[Fault, ...]
    content_type: str | None
    payload_bytes: int | None
    payload_head: str | None


class Outcome(StrEnum):
    """What became of a letter."""

    QUEUED = "queued again"
    DROPPED = "dropped"
    ENDED = "ended without it"
    """Its request succeeded or was cancelled meanwhile; the letter is gone."""

    UNKNOWN = "unknown request"
    UNREADABLE = "unreadable"
    NOT_FOUND = "no letter"

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do."""
        return self in {Outcome.QUEUED, Outcome.DROPPED, Outcome.ENDED}


class Settled(Contract):
    """One letter, and what became of it."""

    request_id: RequestId | None
    outcome: Outcome


def deployments(ports: DeadLetterPorts, model_id: str | None) -> list[Deployment]:
    """Return the deployments of one model, or of all.

    Raises:
        UnknownModelError: there is no such model.
    """
    models = ports.catalog.all_models()
    if model_id is not None:
        models = [model for model in models if model.model_id == model_id]
        if not models:
            raise UnknownModelError(f"this stack has no model {model_id}")
    return [deployment for model in models for deployment in model.deployments.values()]


def count(ports: DeadLetterPorts, among: Collection[Deployment]) -> int:
    """Return how many letters lie there; SQS counts about."""
    return sum(ports.letters_of(deployment).count() for deployment in among)


@contextmanager
def looking(
    ports: DeadLetterPorts,
    among: Collection[Deployment],
    on_wait: Callable[[Deployment], None] = lambda _: None,
) -> Iterator[Iterator[Found]]:
    """Give the letters one after the other; what is left at the end shows to others at once.

    Letters that somebody else looks at, as the sweeper does, are waited for; `on_wait` hears of it.
    """
    seen: list[Found] = []

    def look(deployment: Deployment) -> Sequence[DeadLetter]:
        queue = ports.letters_of(deployment)
        for _ in range(_HELD_ELSEWHERE_PAUSES):
            if letters := queue.look(_BATCH, _HIDDEN_SECONDS):
                return letters
            if queue.count() <= sum(each.deployment == deployment for each in seen):
                return []
            on_wait(deployment)
            ports.pause(_PAUSE_SECONDS)
        return queue.look(_BATCH, _HIDDEN_SECONDS)

    def found() -> Iterator[Found]:
        for deployment in among:
            while letters := look(deployment):
                batch = [Found(deployment, letter) for letter in letters]
                seen.extend(batch)
                yield from batch

    try:
        yield found()
    finally:
        for deployment in among:
            left = [each.letter for each in seen if each.deployment == deployment]
            if left:
                ports.letters_of(deployment).put_back(left)


def line(ports: DeadLetterPorts, found: Found) -> LetterLine:
    """Return what a list says of a letter."""
    return LetterLine.model_validate(_facts(found, _row(ports, found)))


def details(ports: DeadLetterPorts, found: Found) -> LetterDetails:
    """Return all that is known of a letter."""
    row = _row(ports, found)
    facts: dict[str, object] = dict.fromkeys(LetterDetails.model_fields, None)
    facts |= {**_facts(found, row), "faults": ()}
    if row is not None:
        facts |= {"tenant": row.tenant, "attempts": row.failed_attempts, "faults": row.faults}
    try:
        message = QueueMessage.decoded(found.letter.body)
    except MalformedMessageError:
        facts["payload_head"] = found.letter.body[:_PAYLOAD_HEAD_BYTES]
    else:
        payload = message.inline_payload
        if message.stored is not None:
            payload = ports.payloads.read(message.stored)
        payload = payload or b""
        facts |= {
            "content_type": message.content_type,
            "payload_bytes": len(payload),
            "payload_head": payload[:_PAYLOAD_HEAD_BYTES].decode(errors="replace"),
        }
    return LetterDetails.model_validate(facts)


def redrive(ports: DeadLetterPorts, found: Found) -> Settled:
    """Run a letter's request again under its id, with all its attempts.

    Row, failure document, message, letter: after a crash between any two the letter is still
    there, and redriving it again does what is left. The document goes only if it is of the end
    that is undone: a worker may have the next one by then, from an old message.
    """
    request_id = found.letter.request_id
    row = _row(ports, found)
    try:
        message = QueueMessage.decoded(found.letter.body)
    except MalformedMessageError:
        return Settled(request_id=request_id, outcome=Outcome.UNREADABLE)
    if row is None:
        return Settled(request_id=request_id, outcome=Outcome.UNKNOWN)
    outcome = Outcome.ENDED
    if row.state in _REOPENED:
        row = _reopened(ports, row)
    if not row.state.is_terminal:
        _drop_document(ports, row)
        ports.queue_of(found.deployment).send(message, priority=row.priority, tenant=row.tenant)
        outcome = Outcome.QUEUED
    ports.letters_of(found.deployment).drop([found.letter])
    return Settled(request_id=request_id, outcome=outcome)


def _reopened(ports: DeadLetterPorts, row: AsyncRequest) -> AsyncRequest:
    """Return a row that is open again; somebody else may have redriven it at the same time."""
    try:
        return ports.requests.reopen(row.request_id)
    except ClaimRefusedError as refusal:
        if refusal.current is None:
            raise
        return refusal.current


def _drop_document(ports: DeadLetterPorts, reopened: AsyncRequest) -> None:
    place = reopened.destination.failure if reopened.destination else None
    before = reopened.attempt - 1  # queueing it again used up a number
    try:
        ports.results.drop_failure(reopened.request_id, place, up_to_attempt=before)
    except PlaceRefusedError:
        return  # its bucket is closed to us now; a later document replaces it


def drop(ports: DeadLetterPorts, found: Found) -> Settled:
    """Let a letter go; its request stays as it is."""
    ports.letters_of(found.deployment).drop([found.letter])
    return Settled(request_id=found.letter.request_id, outcome=Outcome.DROPPED)


def _row(ports: DeadLetterPorts, found: Found) -> AsyncRequest | None:
    request_id = found.letter.request_id
    return None if request_id is None else ports.requests.find(request_id)


def _facts(found: Found, row: AsyncRequest | None) -> dict[str, object]:
    letter = found.letter
    state = "unreadable" if letter.request_id is None else "unknown"
    return {
        "deployment_id": found.deployment.deployment_id,
        "request_id": letter.request_id,
        "state": row.state if row else state,
        "priority": letter.priority if row is None else row.priority,
        "sent_at": letter.sent_at,
        "reason": letter.reason or "SQS gave up on the message",
    }
