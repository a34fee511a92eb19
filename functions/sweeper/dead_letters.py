"""Finding requests whose message SQS moved to a dead-letter queue."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from functions.sweeper.due_rows import DueRows
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.ports.dead_letters import DeadLetter, DeadLetterQueue
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.announcing import touches_callers_places
from penstock.protocol.endings import Endings

_PAGE = 100
_HIDDEN_SECONDS = 30
"""Longer than a look through a queue, so that it meets each letter once; they are put back at its
end."""

LOOKS_FOR_SECONDS = 10
"""How long one look through a queue may last: letters are hidden from operators meanwhile."""

_DEAD_LETTERED = Fault(
    code=FaultCode.INTERNAL_SERVER_ERROR,
    message="Dead-lettered: its message was received too often without coming to an end.",
)


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """Ends the requests of dead letters; the letters stay where they are."""

    requests: RequestStore
    endings: Endings
    rows: DueRows

    def tend(self, letter: DeadLetter) -> AsyncRequest | None:
        """Return the request of a letter as it has ended, if it must be announced here.

        A letter proves little: the request may be running, or have another message. So it ends
        only what stands still.
        """
        # What a worker buried had ended before: if it is open, an operator has redriven it.
        if letter.request_id is None or letter.reason:
            return None
        row = self.requests.find(letter.request_id)
        if row is None or row.state.is_terminal or not row.state.is_known:
            return None
        # A caller's place may hang, and must not delay the other letters. What touches it is left
        # to the sweep of its row.
        may_hang = touches_callers_places(row)
        if may_hang and row.state is RequestState.IN_PROGRESS:
            return None
        if self.rows.why_stranded(row) is None:
            return None
        ended = self.endings.give_up(row, _DEAD_LETTERED)
        return None if may_hang else ended


@contextmanager
def looking_through(
    queue: DeadLetterQueue, has_time: Callable[[], bool]
) -> Iterator[Iterator[Sequence[DeadLetter]]]:
    """Yield the letters of a queue in pages, until none is left or time is up."""
    seen: list[DeadLetter] = []

    def pages() -> Iterator[Sequence[DeadLetter]]:
        while has_time() and (letters := queue.look(_PAGE, _HIDDEN_SECONDS)):
            # Without the bodies, which may be large: only the receipts are needed again.
            seen.extend(replace(letter, body="") for letter in letters)
            yield letters

    try:
        yield pages()
    finally:
        queue.put_back(seen)
