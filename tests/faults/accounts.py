"""What became of all requests once everything is quiet."""

from penstock.contracts.request import AsyncRequest, RequestId, RequestState, WebhookStatus
from tests.faults.ledger import Ledger
from tests.faults.story import Story
from tests.faults.world import WEBHOOK_ATTEMPTS, World


class Accounts:
    """Compares the rows with what callers, subscribers and receivers saw."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._requests = world.requests
        self._ledger = ledger

    def check_webhook(self, row: AsyncRequest) -> None:
        """Compare what a row says of its webhook with what its receiver saw."""
        story = self._ledger.stories[row.request_id]
        if row.webhook_endpoint is None:
            return
        status = row.webhook_status
        self._ledger.check(
            status is not WebhookStatus.PENDING, row.request_id, "its webhook is pending"
        )
        if status is WebhookStatus.SUCCEEDED:
            self._ledger.check(
                story.webhooks_taken > 0, row.request_id, "webhook only said to be delivered"
            )
        if status is WebhookStatus.FAILED:
            was_tried = row.webhook_attempts >= WEBHOOK_ATTEMPTS or story.is_gone
            self._ledger.check(was_tried, row.request_id, "its webhook was given up early")
        # Two messages of one webhook may make their last attempts at once.
        was_counted = story.webhooks_sent <= row.webhook_attempts
        self._ledger.check(
            was_counted, row.request_id, "its webhook was sent without being counted"
        )
        if row.state is RequestState.CANCELED:
            self._ledger.check(
                status is WebhookStatus.CANCELED, row.request_id, f"its webhook is {status}"
            )

    def lost(self) -> list[RequestId]:
        """Return the requests that were accepted and have no end."""
        acknowledged = [id_ for id_, story in self._ledger.stories.items() if story.is_acknowledged]
        rows = {id_: self._requests.find(id_) for id_ in acknowledged}
        return [id_ for id_, row in rows.items() if row is None or not row.state.is_terminal]

    def duplicated(self) -> list[RequestId]:
        """Return the requests that ended, were stored or were announced in two ways."""
        return [
            id_
            for id_, story in self._ledger.stories.items()
            if story.ends > 1 or len(story.results) > 1 or len(set(story.event_ids)) > 1
        ]

    def undelivered(self) -> list[RequestId]:
        """Return the requests whose subscribers, or whose webhooks' receivers, heard nothing."""
        return [
            id_ for id_, story in self._ledger.stories.items() if not self._is_delivered(id_, story)
        ]

    def _is_delivered(self, request_id: RequestId, story: Story) -> bool:
        row = self._requests.find(request_id)
        if row is None or row.state is RequestState.CANCELED:
            return True
        given_up = story.is_gone or row.webhook_attempts >= WEBHOOK_ATTEMPTS
        is_taken = row.webhook_endpoint is None or story.webhooks_taken > 0 or given_up
        return bool(story.event_ids) and is_taken
