"""What must hold: checked with every call that takes effect, and once everything is quiet."""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from penstock.contracts.http.signature import EVENT_ID_HEADER, REQUEST_ID_HEADER
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Failed, FaultCode, StoredObject
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.ports.webhooks import ReceiverAnswer
from penstock.contracts.request import AsyncRequest, RequestId, RequestState
from tests.faults.promises import Promises
from tests.faults.simulation.turns import Call
from tests.faults.story import BrokenInvariantError, Story
from tests.faults.world import WORN_RECEIVES, World

_MAY_CHANGE_AFTER_THE_END = {"webhook_status", "webhook_attempts", "notified_at"}
_HELD_STEPS = {"renew", "finish", "release"}


class Ledger:
    """Watches all calls and compares them with what the protocol promises."""

    def __init__(self, world: World) -> None:
        self._requests = world.requests
        self._results = world.results
        self._queue = world.queue
        self._clock = world.clock
        self._promises = Promises(world)
        self._row_before: AsyncRequest | None = None
        self.stories: defaultdict[RequestId, Story] = defaultdict(Story)
        self.calls: Counter[str] = Counter()
        self._leases: dict[tuple[str, RequestId], datetime] = {}
        self._lives: dict[str, int] = {}
        """After how many redrives a message was received, by its receipt."""

        self.payloads: dict[str, bytes] = {}
        """What callers sent, by the fingerprint of the submission."""

        self.recent: deque[str] = deque(maxlen=40)
        self.broken: list[str] = []
        """What was seen that must never be."""

    def before(self, call: Call) -> None:
        self.calls[call.name] += 1
        self._check_decision(call)
        self.recent.append(f"{self._clock():%H:%M:%S} {call.process} {call.name}")
        request_id = _request_of(call)
        self._row_before = self._requests.find(request_id) if request_id else None

    def after(self, call: Call, answer: object, error: Exception | None) -> None:
        if error is not None:
            return
        request_id = _request_of(call)
        if request_id is not None and call.port == "requests":
            self._row_changed(call, self._row_before, self._requests.find(request_id))
        if watch := getattr(self, f"_{call.port}_{call.method}", None):
            watch(call, answer)

    def acknowledged(self, request: AsyncRequest) -> None:
        """A caller was told that its request is accepted."""
        story = self.stories[request.request_id]
        story.is_acknowledged = True
        row = self._requests.find(request.request_id)
        # A repeat under the same key may find that the first one has ended unsent.
        is_safe = row is not None and (story.sends > 0 or row.state.is_terminal)
        self.check(is_safe, request.request_id, "acknowledged before its message was sent")

    def ran(self, worker: str, request_id: RequestId, payload: bytes) -> None:
        """A model was asked."""
        story = self.stories[request_id]
        row = self._requests.find(request_id)
        is_its_own = row is not None and self.payloads[row.submission_sha256] == payload
        self.check(is_its_own, request_id, "ran with another's payload")
        story.runs += 1
        is_asked_in_time = row is None or row.attempt != story.refused_in_attempt
        self.check(is_asked_in_time, request_id, "kept its slot although it was refused")
        self.check(
            not story.was_canceled_unclaimed, request_id, "ran although cancelled while queued"
        )
        self.check(
            worker not in story.asked_to_stop_at_claim,
            request_id,
            "ran although its caller asked it to stop before it was claimed",
        )

    def interrupted(self, request_id: RequestId) -> None:
        """A model server was restarted while it worked on a request."""
        self.check(False, request_id, "its model server was restarted meanwhile")  # noqa: FBT003 - says it failed

    def message_lost(self, request_id: RequestId) -> None:
        """A message went to the dead letters."""
        self.stories[request_id].message_was_lost = True

    def _row_changed(
        self, call: Call, before: AsyncRequest | None, after: AsyncRequest | None
    ) -> None:
        if before is None or after is None or before == after:
            return
        now, request_id = call.asked_at, after.request_id
        changed = {
            name
            for name in AsyncRequest.model_fields
            if getattr(before, name) != getattr(after, name)
        }
        if call.method == "reopen":
            self.stories[request_id].reopened(Notification.of(before).event_id)
        elif before.state.is_terminal:
            names_document = before.result is None and call.method == "mark_notified"
            forbidden = (
                changed - _MAY_CHANGE_AFTER_THE_END - ({"result"} if names_document else set())
            )
            self.check(not forbidden, request_id, f"{call.name} changed {forbidden} after the end")
        self.check(after.attempt >= before.attempt, request_id, "the fence went back")
        if call.method in _HELD_STEPS:
            held = call.args[0]
            self.check(
                (held.attempt, held.lease_owner) == (before.attempt, before.lease_owner),
                request_id,
                f"attempt {held.attempt} wrote by {call.name} although {before.attempt} holds it",
            )
        if after.state.is_terminal and not before.state.is_terminal:
            self.stories[request_id].ends += 1
        if after.state is RequestState.EXPIRED:
            self.check(
                before.attempt == 0 and before.deadline_at <= now, request_id, "expired early"
            )

    def _check_decision(self, call: Call) -> None:
        """Compare what is asked for with what its caller had seen, even if it is refused."""
        if call.name != "requests.give_up":
            return
        seen: AsyncRequest = call.args[0]
        self.check(
            not _is_leased(seen, call.asked_at), seen.request_id, "given up although seen leased"
        )

    def _requests_give_up(self, call: Call, _: object) -> None:
        before = self._row_before
        if before is None or before.attempts_left <= 0 or _is_about_to_go(before, call.asked_at):
            return
        if before.refusal is not None and before.deadline_at <= call.asked_at:
            is_quoted = call.args[1] == before.refusal.fault
            self.check(is_quoted, before.request_id, f"refused, and failed with {call.args[1]}")
            return
        # It had attempts left: only the loss of its message may end it.
        is_lost = before.request_id not in self._queue.message_ids
        self.check(is_lost, before.request_id, "given up although its message is in its lane")

    def purged(self, row: AsyncRequest) -> None:
        """DynamoDB has removed a row whose time was up."""
        is_over = row.state.is_terminal and not row.is_unannounced
        self.check(is_over, row.request_id, f"forgotten while {row.state}")

    def _requests_accept(self, call: Call, _: object) -> None:
        self.stories[call.args[0].request_id].rows += 1

    def _requests_claim(self, call: Call, claimed: AsyncRequest) -> None:
        before = self._row_before
        request_id, story = claimed.request_id, self.stories[claimed.request_id]
        if before is None:
            self.check(False, request_id, "claimed without a row")  # noqa: FBT003 - says it failed
            return
        if before.attempt == claimed.attempt:
            return  # it recognised its own effect when the SDK repeated it
        story.claims += 1
        self.check(not before.state.is_terminal, request_id, "claimed after its end")
        self.check(
            not _is_leased(before, call.asked_at), request_id, "claimed under another's lease"
        )
        if before.attempt == 0:
            self.check(call.asked_at < before.deadline_at, request_id, "claimed past its deadline")
        counted = story.claims - story.returns
        self.check(counted <= claimed.retry.max_attempts, request_id, f"{counted} attempts counted")
        if before.cancel_requested:
            story.asked_to_stop_at_claim.add(call.process)
        else:
            story.asked_to_stop_at_claim.discard(call.process)

        self._leased(call, claimed)

    def _requests_renew(self, call: Call, renewed: AsyncRequest) -> None:
        self._leased(call, renewed)

    def _leased(self, call: Call, held: AsyncRequest) -> None:
        if held.lease_until is not None:
            self._leases[call.process, held.request_id] = held.lease_until

    def leased_until(self, process: str, request_id: RequestId) -> datetime | None:
        """Return how long a process knows a request to be its own, by its own clock."""
        return self._leases.get((process, request_id))

    def _check_lease(self, call: Call) -> None:
        """A worker that stalled past its lease must ask whether it was replaced."""
        leased_until = self._leases.get((call.process, call.args[0]))
        if leased_until is not None:
            was_leased = call.asked_at <= leased_until
            self.check(was_leased, call.args[0], f"{call.name} after its lease had lapsed")

    def _requests_release(self, call: Call, released: AsyncRequest) -> None:
        did_fail = call.args[1] is not None
        is_right = call.kwargs["counts_as_attempt"] == did_fail
        self.check(is_right, released.request_id, "given back, and counted as an attempt")
        if released.state is RequestState.QUEUED and not call.kwargs["counts_as_attempt"]:
            self.stories[released.request_id].returns += 1

    def _requests_finish(self, call: Call, finished: AsyncRequest) -> None:
        outcome = call.args[1]
        if isinstance(outcome, Failed) and outcome.fault.code.is_retried:
            story = self.stories[finished.request_id]
            counted = story.claims - story.returns
            is_final = story.answered_faults > 0 and not finished.retry.retries_answers
            if outcome.fault.code is FaultCode.INTERNAL_SERVER_ERROR:
                is_final = finished.destination is not None  # it did not take the answer
            self.check(
                is_final or counted >= finished.retry.max_attempts,
                finished.request_id,
                f"gave up after {counted} attempts",
            )

    def _requests_cancel(self, call: Call, after: AsyncRequest) -> None:
        if after.state is RequestState.CANCELED and after.attempt == 0:
            self.stories[after.request_id].was_canceled_unclaimed = True

    def _requests_mark_notified(self, call: Call, _: object) -> None:
        row = self._requests.find(call.args[0].request_id)
        if row is not None and row.notified_at is not None:
            if call.process.startswith("intake") and row.state is RequestState.CANCELED:
                story = self.stories[row.request_id]
                story.is_withdrawn = not story.is_acknowledged
            told = self._is_told(row)
            self.check(told, row.request_id, "marked as announced before anybody was told")

    def _is_told(self, row: AsyncRequest) -> bool:
        story = self.stories[row.request_id]
        is_announced = bool(story.event_ids) or row.state is RequestState.CANCELED
        return is_announced and self._promises.is_told(row, story)

    def _queue_send(self, call: Call, _: object) -> None:
        self.stories[call.args[0].request_id].sends += 1

    def _queue_receive(self, call: Call, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            story = self.stories[delivery.message.request_id]
            story.deliveries += 1
            self._lives[delivery.receipt] = story.redrives

    def _queue_delete(self, call: Call, _: object) -> None:
        for delivery in call.args[0]:
            request_id = delivery.message.request_id
            row = self._requests.find(request_id)
            story = self.stories[request_id]
            if row is None or self._lives[delivery.receipt] < story.redrives:
                continue  # a redrive has sent another message
            is_worn = delivery.receive_count >= WORN_RECEIVES
            if is_worn and request_id in self._queue.message_ids:
                continue  # a copy of it was sent before
            self.check(row.state.is_terminal, request_id, f"message deleted while {row.state}")
            self.check(self._is_told(row), request_id, "message deleted before anybody was told")
            used_up = row.state is RequestState.FAILED and row.faults[-1].code.is_retried
            is_kept = not used_up or story.buried > 0
            self.check(is_kept, request_id, "message deleted without a dead letter")

    def _dead_letters_bury(self, call: Call, _: object) -> None:
        self.stories[call.args[0].message.request_id].buried += 1

    def _notifier_publish(self, call: Call, refused: Any) -> None:
        for notification in call.args[0]:
            if notification not in refused:
                self._told(notification)

    def _notifier_publish_to(self, call: Call, _: object) -> None:
        request_id, wrong = self._promises.told(call.args[1])
        if wrong and self.stories[request_id].redrives:
            return  # whoever stalled while telling of an end may tell it when it is undone
        self.check(not wrong, request_id, wrong)
        told = self.stories[request_id].callers_messages
        told.add(call.args[1])
        self.check(len(told) == 1, request_id, f"its caller was told several things: {told}")

    def _told(self, notification: Notification) -> None:
        row = self._requests.find(notification.request_id)
        story = self.stories[notification.request_id]
        if notification.event_id in story.past_event_ids:
            return
        is_so = row is not None and row.state is notification.state
        self.check(is_so, notification.request_id, "announced what is not so")
        told = story.event_ids
        told.append(notification.event_id)
        self.check(
            len(set(told)) == 1, notification.request_id, f"announced under several ids: {told}"
        )

    def _results_put_result(self, call: Call, stored: StoredObject) -> None:
        self._check_lease(call)
        story = self.stories[call.args[0]]
        story.results.add(self._results.read(stored))
        self.check(len(story.results) == 1, call.args[0], "its result was written twice")

    def _receiver_send(self, call: Call, answer: ReceiverAnswer) -> None:
        headers = call.args[2]
        request_id = RequestId(headers[REQUEST_ID_HEADER])
        story = self.stories[request_id]
        if headers[EVENT_ID_HEADER] in story.past_event_ids:
            return
        story.webhooks_sent += 1
        story.webhooks_taken += answer.is_taken
        story.is_gone = story.is_gone or answer.is_gone
        told = headers[EVENT_ID_HEADER] in story.event_ids
        self.check(told, request_id, "webhook sent under an id that was never announced")

    def raise_if_broken(self) -> None:
        if self.broken:
            raise BrokenInvariantError("; ".join(self.broken))

    def check(self, holds: bool, request_id: RequestId, what: str) -> None:  # noqa: FBT001 - an assertion
        # Not raised here: the code under test may run above us, and would catch it.
        if not holds:
            self.broken.append(f"{request_id}: {what}")


def _is_leased(row: AsyncRequest, now: datetime) -> bool:
    # Not `AsyncRequest.is_leased`: the code under test decides by it.
    if row.state is not RequestState.IN_PROGRESS:
        return False
    return row.lease_until is not None and now < row.lease_until


def _is_about_to_go(row: AsyncRequest, now: datetime) -> bool:
    return row.purge_at - now < timedelta(days=1)


def _request_of(call: Call) -> RequestId | None:
    if call.port != "requests" or not call.args:
        return None
    subject = call.args[0]
    if isinstance(subject, AsyncRequest):
        return subject.request_id
    return RequestId(subject) if isinstance(subject, str) else None
