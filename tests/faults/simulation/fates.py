"""What may become of one call of a port, and of which calls."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from penstock.contracts.errors import UnavailableError

HANG_SECONDS = 20.0
"""Longer than a lease and a run; a client gives up on a call sooner or later."""


class Fate(StrEnum):
    """What becomes of one call of a port."""

    DONE = "done"
    REFUSED = "refused"
    """AWS fails it: `UnavailableError`, no effect."""

    ANSWER_LOST = "answer lost"
    """It takes effect, but the caller hears `UnavailableError`."""

    REPEATED = "repeated"
    """It takes effect, the SDK loses the answer and makes it again, and the caller hears that."""

    PARTIAL = "partly refused"
    """Of a batch only the first half takes effect."""

    UNEXPECTED = "unexpected error"
    """It fails with an error that no port declares, as when credentials cannot be fetched."""

    HUNG = "hung"
    """It has no effect, and its caller hears so only after a time-out; other calls go on."""

    SWALLOWED = "swallowed"
    """It seems to work and has no effect: SQS forgets a delete, or misses what is there."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    STALLED = "stalled"
    """Its process stops just before it, until it is thawed."""

    def may_meet(self, call: str) -> bool:
        """Whether AWS may do this to a call of this name."""
        match self:
            case Fate.SWALLOWED:
                return call in _ANSWERS_OF_NOTHING
            case Fate.PARTIAL:
                return call in _IN_BATCHES
            case Fate.REPEATED:
                return call not in _NOT_REPEATED
            case _:
                return True


FAULTS = tuple(fate for fate in Fate if fate is not Fate.DONE)


ENDS_A_CALL = frozenset({Fate.REFUSED, Fate.UNEXPECTED, Fate.HUNG})
"""What leaves a process alive to clear up after a call that had no effect."""


def costs_nothing(fate: Fate, call: str) -> bool:
    """Whether it must change neither how a request ends nor how many attempts it takes."""
    if fate is Fate.REPEATED:
        # Another message may save a request; letters that were looked at twice are hidden.
        return call not in {"queue.send", "dead_letters.look"}
    return fate is Fate.PARTIAL


_NOT_REPEATED = frozenset(
    {
        "receiver.send",  # not over an SDK of AWS
        # To read twice changes nothing.
        "catalog.all_models",
        "catalog.find_model",
        "dead_letters.count",
        "payloads.fetch",
        "payloads.read",
        "queue.depth",
        "requests.due",
        "requests.find",
        "requests.wanted_to_stop",
        "results.find_result",
        "results.read",
        "secrets.active",
    }
)

_ANSWERS_OF_NOTHING: Mapping[str, object] = {
    "queue.delete": None,
    "queue.receive": (),
    "dead_letters.look": (),
    "requests.due": (),
}


class UnexpectedError(Exception):
    """An error that no port declares."""


def swallowed(call: str) -> object:
    """Return what a call answers that had no effect and says nothing of it."""
    return _ANSWERS_OF_NOTHING[call]


def as_sent(call: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call with what its adapter would choose for all its repeats."""
    if call == "requests.claim" and arguments.get("claim_id") is None:
        return {**arguments, "claim_id": "chosen once"}
    return dict(arguments)


Halved = Callable[[Sequence[Any], Callable[[Sequence[Any]], object]], object]
"""Takes the items of a batch and what the call does with items; does it with the first half."""


def _or_fail(items: Sequence[Any], effect: Callable[[Sequence[Any]], object]) -> object:
    if half := items[: len(items) // 2]:
        effect(half)
    raise UnavailableError("batch", "partly refused by the simulation")


def _or_return(items: Sequence[Any], effect: Callable[[Sequence[Any]], object]) -> object:
    middle = len(items) // 2
    if items[:middle]:
        effect(items[:middle])
    return items[middle:]


def _or_return_ids(items: Sequence[Any], effect: Callable[[Sequence[Any]], object]) -> object:
    refused: Any = _or_return(items, effect)
    return [each.request_id for each in refused]


_IN_BATCHES: Mapping[str, Halved] = {
    "queue.delete": _or_fail,
    "queue.hide": _or_fail,
    "queue.send_many": _or_return_ids,
    "notifier.publish": _or_return,
}


def partly(call: str, items: Sequence[Any], effect: Callable[[Sequence[Any]], object]) -> object:
    """Do with the first half of a batch what the call does, and tell its caller of the rest."""
    return _IN_BATCHES[call](items, effect)
