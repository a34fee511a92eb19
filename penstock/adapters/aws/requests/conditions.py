"""The predicates of `AsyncRequest`, written for DynamoDB."""

from collections.abc import Mapping

from penstock.contracts.request import RequestState

IS_PAST_DEADLINE = "#state = :queued AND #attempt = :none AND #deadline_at <= :now"
_HAS_LAPSED = (
    "#state = :in_progress AND (attribute_not_exists(#lease_until) OR #lease_until < :now)"
)
_IS_ABANDONED = (
    "#state = :in_progress AND (attribute_not_exists(#lease_until) OR #lease_until < :abandoned)"
)
IS_CLAIMABLE = (
    "#attempts_left > :none AND ("
    "(#state = :queued AND #cancel_requested = :false"
    " AND (#deadline_at > :now OR (#attempt > :none AND attribute_not_exists(#refusal))))"
    # A claim is no second one when its lease has lapsed by the time it is repeated.
    f" OR ({_HAS_LAPSED} AND (attribute_not_exists(#claim_id) OR #claim_id <> :claim_id)))"
)
IS_HELD = "#state = :in_progress AND #lease_owner = :holder AND #attempt = :held_attempt"
IS_HELD_AND_WANTED = f"{IS_HELD} AND #cancel_requested = :false"
IS_AS_SEEN = "#state = :seen_state AND #attempt = :seen_attempt"
IS_UNHELD_AS_SEEN = f"{IS_AS_SEEN} AND (#state = :queued OR ({_IS_ABANDONED}))"
IS_UNANNOUNCED_END = f"{IS_AS_SEEN} AND attribute_not_exists(#notified_at)"
IS_CLAIMED_SO = "#state = :in_progress AND #claim_id = :claim_id"
IS_DUE_BEFORE = "#sweep_at < :until"
IS_END_WITH_WEBHOOK = f"{IS_AS_SEEN} AND attribute_exists(#webhook_endpoint)"

CONSTANTS: Mapping[str, object] = {
    "queued": RequestState.QUEUED,
    "in_progress": RequestState.IN_PROGRESS,
    "none": 0,
    "false": False,
}
"""The values that every condition may mention."""
