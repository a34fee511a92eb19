"""How a request lies in DynamoDB."""

from datetime import UTC, datetime, timedelta

from penstock.adapters.aws.requests.expressions import Update
from penstock.adapters.aws.requests.row import (
    SWEEP_SHARDS,
    changes_between,
    item_of,
    request_of,
)
from penstock.contracts.origin import Destination, Dialect, Location, SageMakerInvocation
from penstock.contracts.outcome import Fault, FaultCode, ServerRefusal, StoredObject
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, RetryPolicy, Tenant

NOW = datetime(2030, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
NOW_MICROSECONDS = "1893499200123456"

A_REQUEST = AsyncRequest(
    request_id=RequestId("0" * 32),
    tenant=Tenant("acme"),
    model_id="ocr",
    deployment_id="v1",
    created_at=NOW,
    status_at=NOW,
    deadline_at=NOW + timedelta(seconds=600),
    purge_at=datetime(2030, 1, 8, tzinfo=UTC),
    submission_sha256="abc",
    attempts_left=3,
)


def test_every_field_comes_back() -> None:
    full = A_REQUEST.model_copy(
        update={
            "dialect": Dialect.SAGEMAKER,
            "caller_id": "mine-1",
            "chain_id": "both",
            "destination": Destination(
                result=Location(bucket="b", key="out/r"), failure=Location(bucket="b", key="f")
            ),
            "invocation": SageMakerInvocation(
                endpoint_name="ocr", inference_id="mine-1", include_response_in=("error",)
            ),
            "max_time_in_queue_seconds": 600,
            "priority": 2,
            "retry": RetryPolicy(max_attempts=7, initial_delay_ms=0),
            "attempt": 4,
            "lease_owner": "worker-1",
            "lease_until": NOW + timedelta(microseconds=1),
            "claim_id": "claim-1",
            "cancel_requested": True,
            "predict_timeout_seconds": 0.1,
            "refusal": ServerRefusal.of(503, "text/plain", b"\xff"),
            "faults": (Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="größer"),) * 2,
            "result": StoredObject(bucket="b", key="k", content_type="image/png", size_bytes=0),
            "webhook_endpoint": "https://caller.example",
            "notified_at": NOW,
        }
    )
    unset = [name for name in AsyncRequest.model_fields if getattr(full, name) is None]
    assert not unset
    assert request_of(item_of(full, NOW)) == full


def test_what_has_no_value_is_absent() -> None:
    item = item_of(A_REQUEST, NOW)
    assert not {"lease_owner", "lease_until", "faults", "result", "notified_at"} & set(item)
    assert request_of(item) == A_REQUEST


def test_times_are_microseconds_that_conditions_can_compare() -> None:
    assert item_of(A_REQUEST, NOW)["created_at"] == {"N": NOW_MICROSECONDS}


def test_a_row_is_purged_by_whole_seconds_and_never_early() -> None:
    late = A_REQUEST.model_copy(update={"purge_at": NOW})
    item = item_of(late, NOW)
    assert item["purge_at"] == {"N": "1893499201"}
    assert request_of(item).purge_at == NOW.replace(second=1, microsecond=0)


def test_what_a_newer_process_wrote_is_ignored() -> None:
    item = item_of(A_REQUEST, NOW)
    assert request_of({**item, "invented_later": {"S": "x"}}) == A_REQUEST


def test_requests_spread_over_all_shards_of_the_index() -> None:
    shards = {
        item_of(A_REQUEST.model_copy(update={"request_id": f"{n:032x}"}), NOW)["sweep_shard"]["S"]
        for n in range(200)
    }
    assert shards == set(SWEEP_SHARDS)


def test_a_wish_to_cancel_leaves_the_sweep_time_to_the_worker_that_renews_it() -> None:
    held = A_REQUEST.model_copy(update={"state": RequestState.IN_PROGRESS, "lease_until": NOW})
    asked = held.model_copy(update={"cancel_requested": True})
    assert changes_between(held, asked, NOW) == {"cancel_requested": True}


def test_an_update_sets_removes_and_adds_and_mentions_nothing_else() -> None:
    update = Update(
        operation="release",
        condition="#attempt = :seen",
        values={"seen": 3, "unused": 1},
        changes={"state": "QUEUED", "lease_owner": None, "faults": ()},
        add={"attempts_left": 1},
    )
    assert update.arguments() == {
        "UpdateExpression": (
            "SET #state = :new_state REMOVE #lease_owner, #faults"
            " ADD #attempts_left :add_attempts_left"
        ),
        "ConditionExpression": "#attempt = :seen",
        "ExpressionAttributeNames": {
            f"#{name}": name
            for name in ("state", "lease_owner", "faults", "attempts_left", "attempt")
        },
        "ExpressionAttributeValues": {
            ":new_state": {"S": "QUEUED"},
            ":add_attempts_left": {"N": "1"},
            ":seen": {"N": "3"},
        },
    }
