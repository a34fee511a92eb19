"""What becomes of a message once its request's step is decided: announce, bury, delete, hide."""

from collections.abc import Callable, Sequence

from penstock.contracts.errors import UnavailableError
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Fault
from penstock.contracts.ports.dead_letters import DeadLetterQueue
from penstock.contracts.ports.requests import Delivery, RequestQueue, RequestStore
from penstock.contracts.request import AsyncRequest
from penstock.protocol.announcing import (
    Announcing,
    failure_to_name,
    is_prepared,
    notification_of,
)
from penstock.protocol.putting_back import put_back
from penstock.protocol.steps import Announce, Drop, Run, Step, Wait
from runtime_image.dispatcher.concurrency import Batcher, Threads
from runtime_image.dispatcher.persistence import CallersPlaces, End, persistently
from runtime_image.dispatcher.scheduling.tickets import Ticket

_ANNOUNCEMENT_LINGER_SECONDS = 0.05
"""How long a busy worker lets an end wait for others, so that one call announces many."""

_DELETION_LINGER_SECONDS = 0.2
"""The same for messages that are done with: nobody waits for their deletion."""


class Settling:
    """Carries out steps, batching what AWS lets us batch."""

    def __init__(  # noqa: PLR0913 - every port that a step needs
        self,
        *,
        queue: RequestQueue,
        dead_letters: DeadLetterQueue,
        requests: RequestStore,
        announcing: Announcing,
        threads: Threads,
        callers_places: CallersPlaces,
        in_hand: Callable[[], int],
    ) -> None:
        """Wire it; `in_hand` says how many messages the worker holds, those here included."""
        self._queue = queue
        self._dead_letters = dead_letters
        self._requests = requests
        self._announcing = announcing
        self._threads = threads
        self._callers_places = callers_places
        self._announce: Batcher[Notification] = Batcher(
            self._send_notifications, in_hand=in_hand, linger_seconds=_ANNOUNCEMENT_LINGER_SECONDS
        )
        self._delete: Batcher[Delivery] = Batcher(
            self._send_deletions, in_hand=in_hand, linger_seconds=_DELETION_LINGER_SECONDS
        )

    async def settle(
        self, delivery: Delivery, step: Step, ticket: Ticket, traceparent: str | None = None
    ) -> None:
        """Do what `step` says with the message; the order survives a crash at any point.

        Whoever hears that the request ended may continue the trace.
        """
        match step:
            case Announce(request):
                await self._tell(request, ticket, traceparent)
                if step.buried_for is not None:
                    await self._bury(delivery, step.buried_for)
                await persistently(lambda: self._delete(delivery))
            case Wait(seconds):
                await self._threads(put_back, self._queue, [delivery], seconds)
            case Drop():
                await persistently(lambda: self._delete(delivery))
            case Run():
                raise AssertionError("a request that is to run is not settled yet")

    async def _tell(self, request: AsyncRequest, ticket: Ticket, traceparent: str | None) -> None:
        if not request.is_unannounced:
            return
        told = request if is_prepared(request) else await self._prepared(request, ticket)
        if (notification := notification_of(told)) is not None:
            traced = notification.model_copy(update={"traceparent": traceparent})
            await persistently(lambda: self._announce(traced))
        mark, failure = self._requests.mark_notified, failure_to_name(request, told)
        await persistently(lambda: self._threads(mark, request, failure))

    async def _prepared(self, request: AsyncRequest, ticket: Ticket) -> AsyncRequest:
        prepare = self._announcing.prepare
        if not self._announcing.needs_its_caller(request):
            return await persistently(lambda: self._threads(prepare, request))
        return await self._callers_places.insist(
            End(ticket, request.tenant),
            lambda threads: threads(prepare, request),
            lambda threads: threads(prepare, request, may_wait=False),
        )

    async def _bury(self, delivery: Delivery, fault: Fault) -> None:
        reason = f"{fault.code}: {fault.message}"
        await persistently(lambda: self._threads(self._dead_letters.bury, delivery, reason))

    async def _send_notifications(self, notifications: Sequence[Notification]) -> None:
        if failed := await self._threads(self._announcing.notifier.publish, notifications):
            # All are repeated: a notification is delivered at least once, with a stable id.
            raise UnavailableError("Publish", f"{len(failed)} of {len(notifications)} refused")

    async def _send_deletions(self, deliveries: Sequence[Delivery]) -> None:
        await self._threads(self._queue.delete, deliveries)
