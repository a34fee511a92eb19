"""After the faults: nothing fails any more, and everything must come to its end."""

from penstock.contracts.notification import Notification
from penstock.contracts.origin import Dialect
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.endings import worker_died
from penstock.protocol.failure_documents import document_of_end
from tests.faults.simulation.fates import Fate
from tests.faults.stack import Stack
from tests.faults.story import BrokenInvariantError
from tests.faults.world import LEASE_SECONDS, SWEEP_SECONDS

_WORK_SECONDS = 30
"""For retries and their backoff, once a request is in good hands."""

_LOST_MESSAGE_SECONDS = 900 + 300
"""How long a retry whose message is gone waits for the sweeper, and between its looks."""

_LONGEST_SECONDS = 6 * 3_600
"""For everything, retries of webhooks included."""

_MOST_ROUNDS = 2_000


def recover(stack: Stack) -> None:
    """Let healthy processes run until all is quiet; raise if something is left behind."""
    stack.thaw()
    stack.world.receiver.statuses.clear()
    stack.world.requests.index_lag.seconds = 0
    began = stack.simulation.time()
    hidden_seconds = stack.world.queue.longest_hidden_seconds()
    next_sweep = began
    while True:
        while len(stack.workers) < 2:  # those that drain end by themselves
            stack.start_worker()
        work(stack)
        waiting = [row for row in stack.rows() if not is_settled(row)]
        if not waiting and not stack.world.queue.message_ids and not stack.world.webhooks.messages:
            break
        if stack.simulation.time() > began + _LONGEST_SECONDS:
            raise BrokenInvariantError(f"messages come for ever: {stack.world.queue.message_ids}")
        for row in waiting:
            _raise_if_stuck(stack, row, began, hidden_seconds)
        if stack.simulation.time() >= next_sweep:
            next_sweep += SWEEP_SECONDS
            stack.sweep()
        elif stack.world.queue.message_ids or stack.model_calls:
            stack.advance(1)
        else:
            stack.jump(next_sweep - stack.simulation.time())
    check_all(stack)


def work(stack: Stack) -> None:
    """Let every process go on without faults until each waits for time to pass."""
    for _ in range(_MOST_ROUNDS):
        if runnable := stack.runnable():
            for turn in runnable:
                if turn in stack.simulation.turns:
                    stack.take(turn, Fate.DONE)
        elif stack.model_calls:
            call = stack.model_calls[0]
            stack.answer_model(call, stack.answer_of(call))
        elif not stack.deliver_webhook():
            return
    raise BrokenInvariantError("the stack is busy for ever:\n" + "\n".join(stack.ledger.recent))


def is_settled(row: AsyncRequest) -> bool:
    """Whether nobody has to do anything about a request any more."""
    return row.state.is_terminal and not row.is_unannounced


def _raise_if_stuck(stack: Stack, row: AsyncRequest, began: float, hidden_seconds: float) -> None:
    allowed = LEASE_SECONDS + SWEEP_SECONDS + _WORK_SECONDS + hidden_seconds
    if stack.ledger.stories[row.request_id].message_was_lost:
        allowed += _LOST_MESSAGE_SECONDS
    since = began if row.was_claimed else max(began, stack.simulation.time_of(row.deadline_at))
    if (waited := stack.simulation.time() - since) > allowed:
        recent = "\n".join(stack.ledger.recent)
        raise BrokenInvariantError(
            f"{row.request_id}: stuck in {row.state} for {waited} s:\n{row!r}\n{recent}"
        )


def check_all(stack: Stack) -> None:
    """Compare every row with the objects, the notifications and the webhooks."""
    stack.ledger.raise_if_broken()
    for row in stack.rows():
        story = stack.ledger.stories[row.request_id]
        if row.state is not RequestState.CANCELED and not story.event_ids:
            raise BrokenInvariantError(f"{row.request_id}: nobody was told")
        _check_objects(stack, row)
        _check_words(stack, row)
        if not stack.promises.is_told(row, story):
            raise BrokenInvariantError(f"{row.request_id}: its caller's topic was not told")
        stack.accounts.check_webhook(row)
    if lost := stack.accounts.lost():
        raise BrokenInvariantError(f"acknowledged and lost: {lost}")
    stack.ledger.raise_if_broken()


def _check_objects(stack: Stack, row: AsyncRequest) -> None:
    if stack.ledger.stories[row.request_id].is_withdrawn:
        return
    expected = _expected_uri(stack, row)
    if row.state is not RequestState.CANCELED and (row.result and row.result.uri) != expected:
        raise BrokenInvariantError(f"{row.request_id}: {row.state} with result {row.result}")
    lying = {stored.uri: stored for stored in stack.promises.lying(row)}
    if expected is None:
        return
    if expected not in lying:
        raise BrokenInvariantError(f"{row.request_id}: {row.state}, and nothing lies at {expected}")
    # At a promised place the document of a worker that stalled may have been adopted.
    is_exact = row.state is RequestState.SUCCEEDED or row.destination is None
    if is_exact and row.result != lying[expected]:
        raise BrokenInvariantError(f"{row.request_id}: its result is not what lies there")
    if row.destination is not None and len(lying) > 1:
        raise BrokenInvariantError(f"{row.request_id}: {row.state}, with {sorted(lying)}")


def _check_words(stack: Stack, row: AsyncRequest) -> None:
    """Compare what was stored and announced of an end with what its row says of it."""
    if row.state is RequestState.CANCELED:
        return
    end = Notification.of(row)
    for told in stack.world.notifier.published:
        if told.event_id == end.event_id and told.model_copy(update={"traceparent": None}) != end:
            raise BrokenInvariantError(f"{row.request_id}: announced {told!r}, and is {row!r}")
    if row.state is RequestState.SUCCEEDED or row.dialect is not Dialect.BASETEN or not row.result:
        return
    if row.faults[-1] == worker_died(row):
        return  # it may have died after it had stored what its model said
    written = stack.world.results.read(row.result)
    if written != document_of_end(row).body:
        raise BrokenInvariantError(f"{row.request_id}: {row.faults}, and its document: {written!r}")


def _expected_uri(stack: Stack, row: AsyncRequest) -> str | None:
    """Return where the one object of an ended request lies, if it must have one."""
    succeeded = row.state is RequestState.SUCCEEDED
    ours = f"s3://results/{'results' if succeeded else 'failures'}/{row.request_id}"
    if row.destination is not None:
        is_replaced = stack.places_fail and row.result is not None and row.result.uri == ours
        promised = row.destination.result if succeeded else row.destination.failure
        return ours if is_replaced and not succeeded else promised.uri
    return None if row.state is RequestState.CANCELED else ours


def orphans(stack: Stack) -> list[str]:
    """Return objects that their request does not name."""
    return [
        stored.uri
        for row in stack.rows()
        for stored in stack.promises.lying(row)
        if row.state is not RequestState.CANCELED or row.destination is not None
        if stored.uri != _expected_uri(stack, row)
    ]
