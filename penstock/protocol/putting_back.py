"""Putting a message back into its queue, however often that has happened before."""

from collections.abc import Sequence

from penstock.contracts.ports.requests import Delivery, RequestQueue

WORN_RECEIVES = 500
"""Half of what SQS allows before it takes a message for poison. What ends a request that kills its
workers are the attempts in its row.
"""


def put_back(queue: RequestQueue, deliveries: Sequence[Delivery], seconds: float) -> None:
    """Make messages visible again after so long.

    One that was received very often is replaced by a copy that starts at zero. A crash in between
    leaves both, as a repeat of the call would have.
    """
    worn = [each for each in deliveries if each.receive_count >= WORN_RECEIVES]
    if len(worn) < len(deliveries):
        queue.hide([each for each in deliveries if each not in worn], seconds)
    for each in worn:
        queue.send(each.message, priority=each.priority, tenant=each.tenant, delay_seconds=seconds)
        queue.delete([each])
