"""What the store does when DynamoDB fails or another process is faster."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.requests.row import item_of
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.adapters.in_memory import FakeClock
from penstock.contracts.errors import UnavailableError, UnknownRequestError
from penstock.contracts.request import AsyncRequest, RequestId, RequestState
from tests.unit.adapters.test_request_row import A_REQUEST

pytestmark = pytest.mark.usefixtures("aws_variables")


@pytest.fixture
def store() -> DynamoRequestStore:
    return DynamoRequestStore("requests", client("dynamodb"), FakeClock())


def found(request: AsyncRequest) -> dict[str, Any]:
    return {"Item": item_of(request, request.status_at)}


def refuse(stubber: Stubber, **modeled_fields: Any) -> None:
    code = "ConditionalCheckFailedException"
    stubber.add_client_error("update_item", code, modeled_fields=modeled_fields)


def test_a_throttled_table_is_unavailable(store: DynamoRequestStore) -> None:
    with Stubber(client("dynamodb")) as stubber:
        stubber.add_client_error("update_item", "ThrottlingException")
        with pytest.raises(UnavailableError, match="claim request failed: ThrottlingException"):
            store.claim(A_REQUEST.request_id, "worker-1", lease_seconds=30)


def test_a_missing_table_is_not_mistaken_for_a_refusal(store: DynamoRequestStore) -> None:
    with Stubber(client("dynamodb")) as stubber:
        stubber.add_client_error("update_item", "ResourceNotFoundException")
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            store.mark_notified(A_REQUEST.model_copy(update={"state": RequestState.FAILED}))


def test_a_cancellation_that_a_worker_overtook_asks_the_worker_to_stop(
    store: DynamoRequestStore,
) -> None:
    running = A_REQUEST.model_copy(
        update={
            "state": RequestState.IN_PROGRESS,
            "attempt": 1,
            "lease_owner": "worker-1",
            "lease_until": A_REQUEST.status_at + timedelta(seconds=30),
        }
    )
    asked = running.model_copy(update={"cancel_requested": True})
    with Stubber(client("dynamodb")) as stubber:
        stubber.add_response("get_item", found(A_REQUEST))
        refuse(stubber, **found(running))
        stubber.add_response("update_item", {"Attributes": item_of(asked, asked.status_at)})
        assert store.cancel(A_REQUEST.request_id, force=True) == asked
        stubber.assert_no_pending_responses()


def test_a_request_purged_while_it_is_canceled_is_unknown(store: DynamoRequestStore) -> None:
    with Stubber(client("dynamodb")) as stubber:
        stubber.add_response("get_item", found(A_REQUEST))
        refuse(stubber)
        with pytest.raises(UnknownRequestError):
            store.cancel(A_REQUEST.request_id)


def batch_of(*requests: AsyncRequest, unprocessed: tuple[AsyncRequest, ...] = ()) -> dict[str, Any]:
    keys = [{"request_id": {"S": request.request_id}} for request in unprocessed]
    return {
        "Responses": {"requests": [item_of(each, each.status_at) for each in requests]},
        "UnprocessedKeys": {"requests": {"Keys": keys}} if keys else {},
    }


def test_rows_left_out_of_an_answer_are_asked_for_again(store: DynamoRequestStore) -> None:
    ids = [RequestId(f"{number:032x}") for number in range(2)]
    first, second = (
        A_REQUEST.model_copy(update={"request_id": each, "cancel_requested": True}) for each in ids
    )
    with Stubber(client("dynamodb")) as stubber:
        stubber.add_response("batch_get_item", batch_of(first, unprocessed=(second,)))
        stubber.add_response("batch_get_item", batch_of(second))
        assert list(store.wanted_to_stop(ids)) == ids
        stubber.assert_no_pending_responses()


def test_rows_that_never_come_make_the_table_unavailable(store: DynamoRequestStore) -> None:
    with Stubber(client("dynamodb")) as stubber:
        for _ in range(5):
            stubber.add_response("batch_get_item", batch_of(unprocessed=(A_REQUEST,)))
        with pytest.raises(UnavailableError, match="read requests"):
            store.wanted_to_stop([A_REQUEST.request_id])
        stubber.assert_no_pending_responses()


def test_a_row_purged_since_the_index_was_read_is_not_due(store: DynamoRequestStore) -> None:
    keys = {
        "request_id": {"S": A_REQUEST.request_id},
        "sweep_at": {"N": "1"},
        "tenant": {"S": A_REQUEST.tenant},
    }
    with Stubber(client("dynamodb")) as stubber:
        stubber.add_response("query", {"Items": [keys]})
        for _ in range(9):
            stubber.add_response("query", {"Items": []})
        stubber.add_response("batch_get_item", batch_of())
        assert store.due(10) == []
