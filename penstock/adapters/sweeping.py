"""When somebody should look at a row: the rule that both families share.

A row is due only when whoever should have moved it has had time to; it is never due once its end
was announced, or is none of anybody's business because its caller cancelled it.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from penstock.contracts.request import ABANDONED_AFTER, AsyncRequest, RequestState

T = TypeVar("T")

_LOST_RETRY = timedelta(minutes=15)
_LOST_NOTIFICATION = timedelta(seconds=60)
_MINUTE = timedelta(minutes=1)
_FULL_MINUTE = datetime(1970, 1, 1, tzinfo=UTC)


def due_at(request: AsyncRequest, now: datetime) -> datetime | None:
    """Return when somebody should look at a row that has just come to be as it is."""
    match request.state:
        case RequestState.QUEUED:
            if request.was_claimed and request.refusal is None:
                return min(waiting_due_at(now), max(request.must_end_by, now))
            return request.deadline_at
        case RequestState.IN_PROGRESS:
            return lease_due_at(request.lease_until or now)
        case _:
            return end_due_at(now) if request.is_unannounced else None


def waiting_due_at(now: datetime) -> datetime:
    """Return when a row is due that has just been given back."""
    return now + _LOST_RETRY


def lease_due_at(lease_until: datetime) -> datetime:
    """Return when a held row is due: at the full minute after others may end it.

    Heartbeats come every few seconds. One that does not move the due time does not write the
    index, so it is written once a minute, not with each of them.
    """
    abandoned_at = lease_until + ABANDONED_AFTER
    return abandoned_at + (_FULL_MINUTE - abandoned_at) % _MINUTE


def end_due_at(now: datetime) -> datetime:
    """Return when a row that has just ended is due, unless it is announced before."""
    return now + _LOST_NOTIFICATION


def in_turn(subjects: Iterable[T], whose: Callable[[T], Hashable]) -> list[T]:
    """Return subjects so that their owners take turns; each owner's keep their order."""
    had: Counter[Hashable] = Counter()
    rounds: list[tuple[int, T]] = []
    for subject in subjects:
        owner = whose(subject)
        rounds.append((had[owner], subject))
        had[owner] += 1
    return [subject for _, subject in sorted(rounds, key=lambda found: found[0])]
