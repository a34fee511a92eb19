"""The protocol with one mistake each; the suite must notice every one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from functions.intake.service import IntakeService
from penstock.adapters.in_memory import InMemoryRequestStore, InMemoryResultStore
from penstock.adapters.in_memory.request_queue import InMemoryRequestQueue
from penstock.contracts.errors import LeaseLostError
from penstock.contracts.notification import Notification
from penstock.contracts.origin import Location
from penstock.contracts.outcome import Fault, StoredObject, Succeeded
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.contracts.submission import Submission
from penstock.dialects.address import Address
from penstock.protocol.announcing import Announcing
from penstock.protocol.endings import Endings
from penstock.protocol.failure_documents import failure_document
from penstock.protocol.objects import RequestObjects
from penstock.protocol.request_protocol import RequestProtocol
from penstock.protocol.steps import Announce, Step, Wait
from runtime_image.dispatcher.persistence import persistently
from runtime_image.dispatcher.settling import Settling
from tests.faults.simulation.fates import Fate


def _drop_the_fence(patch: pytest.MonkeyPatch) -> None:
    def held(self: InMemoryRequestStore, claimed: AsyncRequest) -> AsyncRequest:
        current = self.find(claimed.request_id)
        if current is None or current.state is not RequestState.IN_PROGRESS:
            raise LeaseLostError(claimed.request_id, claimed.attempt)
        return current

    patch.setattr(InMemoryRequestStore, "_held", held)


def _delete_before_announcing(patch: pytest.MonkeyPatch) -> None:
    settle = Settling.settle

    async def mutant(self: Settling, delivery: Delivery, step: Step, *args: Any) -> None:
        if isinstance(step, Announce):
            await persistently(lambda: self._delete(delivery))
        await settle(self, delivery, step, *args)

    patch.setattr(Settling, "settle", mutant)


def _overwrite_results(patch: pytest.MonkeyPatch) -> None:
    put_once = InMemoryResultStore._put_once  # noqa: SLF001 - the mistake is made inside

    def put(self: InMemoryResultStore, place: Location, *args: Any, **kwargs: Any) -> StoredObject:
        self._objects.pop(place.uri, None)
        return put_once(self, place, *args, **kwargs)

    patch.setattr(InMemoryResultStore, "_put_once", put)


class _NoQueue(InMemoryRequestQueue):
    def __init__(self) -> None:
        """Hold nothing."""

    def send(self, *_: Any, **__: Any) -> None:
        """Send nothing."""


def _answer_before_sending(patch: pytest.MonkeyPatch) -> None:
    accept = IntakeService.accept

    def mutant(self: IntakeService, submission: Submission, address: Address) -> AsyncRequest:
        return accept(replace(self, queue_of=lambda _: _NoQueue()), submission, address)

    patch.setattr(IntakeService, "accept", mutant)


def _forget_the_deadline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AsyncRequest, "is_past_deadline", lambda *_: False)


def _count_what_is_given_back(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: RequestProtocol, request: AsyncRequest, delay_seconds: float = 0) -> Step:
        self.requests.release(request, None, counts_as_attempt=True)
        return Wait(delay_seconds)

    patch.setattr(RequestProtocol, "give_back", mutant)


def _mark_before_publishing(patch: pytest.MonkeyPatch) -> None:
    async def mutant(self: Settling, request: AsyncRequest, *_: Any) -> None:
        if request.is_unannounced:
            mark = self._requests.mark_notified
            await persistently(lambda: self._threads(mark, request))
            notification = Notification.of(request)
            await persistently(lambda: self._announce(notification))

    patch.setattr(Settling, "_tell", mutant)


def _run_what_was_asked_to_stop(patch: pytest.MonkeyPatch) -> None:
    claim = InMemoryRequestStore.claim

    def mutant(self: InMemoryRequestStore, *args: Any, **kwargs: Any) -> AsyncRequest:
        return claim(self, *args, **kwargs).model_copy(update={"cancel_requested": False})

    patch.setattr(InMemoryRequestStore, "claim", mutant)


def _forget_the_unannounced(patch: pytest.MonkeyPatch) -> None:
    due = InMemoryRequestStore.due

    def mutant(self: InMemoryRequestStore, limit: int) -> Sequence[AsyncRequest]:
        return [row for row in due(self, limit) if not row.state.is_terminal]

    patch.setattr(InMemoryRequestStore, "due", mutant)


def _finish_before_storing(patch: pytest.MonkeyPatch) -> None:
    def mutant(
        self: RequestProtocol, request: AsyncRequest, body: bytes, content_type: str, *_: object
    ) -> Step:
        key = f"results/{request.request_id}"
        promised = StoredObject(
            bucket="results", key=key, content_type=content_type, size_bytes=len(body)
        )
        ended = self.requests.finish(request, Succeeded(result=promised))
        self.results.put_result(request.request_id, body, content_type)
        return Announce(ended)

    patch.setattr(RequestProtocol, "succeed", mutant)


def _store_without_asking(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RequestProtocol, "_still_held", lambda _, request: request)


def _claim_under_anothers_lease(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AsyncRequest, "is_leased", lambda *_: False)


def _bury_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Announce, "buried_for", None)


def _forget_the_promises(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Announcing, "prepare", lambda _, ended, **__: ended)


def _keep_the_document_of_a_lost_attempt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Announcing, "_drop_failure", lambda *_, **__: None)


def _store_the_document_before_the_end(patch: pytest.MonkeyPatch) -> None:
    give_up = Endings.give_up

    def mutant(self: Endings, request: AsyncRequest, fault: Fault) -> AsyncRequest | None:
        RequestObjects(self.results).put_failure(request, failure_document(request, fault))
        return give_up(self, request, fault)

    patch.setattr(Endings, "give_up", mutant)


@dataclass(frozen=True)
class Mutant:
    """One mistake, how it is made, and the scenario in which it shows."""

    name: str
    make: Callable[[pytest.MonkeyPatch], None]
    scenario: str
    fate: Fate | None = None
    """What shows it, where only one kind of fault does."""


MUTANTS = (
    Mutant("the fence is dropped", _drop_the_fence, "succeeds"),
    Mutant(
        "the message is deleted before the end is announced", _delete_before_announcing, "succeeds"
    ),
    Mutant("results are overwritten", _overwrite_results, "succeeds"),
    Mutant("the caller is answered before the message is sent", _answer_before_sending, "succeeds"),
    Mutant("the deadline is forgotten", _forget_the_deadline, "waits too long"),
    Mutant("giving back counts as an attempt", _count_what_is_given_back, "worker drains"),
    Mutant("the row is marked before the end is announced", _mark_before_publishing, "succeeds"),
    Mutant(
        "a request asked to stop runs again", _run_what_was_asked_to_stop, "cancelled while running"
    ),
    Mutant("the sweeper forgets what was not announced", _forget_the_unannounced, "dead-lettered"),
    Mutant("the row ends before its result is stored", _finish_before_storing, "succeeds"),
    Mutant("a stalled worker stores without asking", _store_without_asking, "succeeds"),
    Mutant("a leased request is claimed", _claim_under_anothers_lease, "delivered twice"),
    Mutant(
        "what a caller was promised is forgotten", _forget_the_promises, "stopped by its caller"
    ),
    Mutant(
        "the document of a lost attempt stays beside the result",
        _keep_the_document_of_a_lost_attempt,
        "model would recover",
    ),
    Mutant(
        "a promised document is stored before the end",
        _store_the_document_before_the_end,
        "given up at an endpoint",
        Fate.HUNG,
    ),
    Mutant("a poisoned message leaves no dead letter", _bury_nothing, "fails always"),
)
