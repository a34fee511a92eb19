"""Late steps about an end that a redrive has undone, and rows of another version."""

import pytest

from penstock.adapters.aws.clients import client
from penstock.contracts.errors import UnreadableRowError
from penstock.contracts.outcome import Failed, Succeeded
from penstock.contracts.ports.requests import UnreadableRow
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, WebhookStatus
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import A_FAILURE, A_RESULT, REQUEST_ID, TIMEOUT, a_request


@pytest.fixture
def redriven(ports: Ports) -> tuple[AsyncRequest, AsyncRequest]:
    """Return a request as it failed, and as it has succeeded after a redrive."""
    ports.requests.accept(a_request(ports.clock()))
    held = ports.requests.claim(REQUEST_ID, "worker-1", 30)
    failed = ports.requests.finish(held, Failed(fault=TIMEOUT, failure=A_FAILURE))
    ports.requests.reopen(REQUEST_ID)
    held = ports.requests.claim(REQUEST_ID, "worker-1", 30)
    return failed, ports.requests.finish(held, Succeeded(result=A_RESULT))


def test_a_late_word_about_an_end_that_was_redriven_changes_nothing(
    ports: Ports, redriven: tuple[AsyncRequest, AsyncRequest]
) -> None:
    failed, succeeded = redriven
    ports.requests.mark_notified(failed, A_FAILURE)
    ports.requests.record_webhook(failed, WebhookStatus.SUCCEEDED)
    assert ports.requests.count_webhook_attempt(failed) is None
    assert ports.requests.find(REQUEST_ID) == succeeded


def test_a_document_that_is_stored_after_the_end_is_named_with_its_announcement(
    ports: Ports,
) -> None:
    ports.requests.accept(row := a_request(ports.clock()))
    ended = ports.requests.give_up(row, TIMEOUT)
    assert ended.result is None
    ports.requests.mark_notified(ended, A_FAILURE)
    named = ports.requests.find(REQUEST_ID)
    assert named is not None
    assert named.result == A_FAILURE


def test_a_document_of_an_earlier_attempt_makes_room_and_a_later_one_stays(ports: Ports) -> None:
    ports.results.put_failure(REQUEST_ID, b"first", attempt=1)
    third = ports.results.put_failure(REQUEST_ID, b"third", attempt=3)
    assert ports.results.read(third) == b"third"
    assert ports.results.put_failure(REQUEST_ID, b"of a zombie", attempt=2) == third
    ports.results.drop_failure(REQUEST_ID, up_to_attempt=2)
    assert ports.results.read(third) == b"third"
    ports.results.drop_failure(REQUEST_ID, up_to_attempt=3)
    again = ports.results.put_failure(REQUEST_ID, b"new", attempt=1)
    assert ports.results.read(again) == b"new"


def test_values_that_only_a_newer_version_knows_survive_a_round_trip(ports: Ports) -> None:
    newer = {
        "dialect": "openai",
        "webhook_status": "DEFERRED",
        "faults": ({"code": "MODEL_MELTED", "message": "hot"},),
    }
    known = a_request(ports.clock()).model_dump()
    ports.requests.accept(AsyncRequest.model_validate(known | newer))
    held = ports.requests.claim(REQUEST_ID, "worker-1", 30)
    waiting = ports.requests.release(held, None, counts_as_attempt=False)
    assert (waiting.dialect, waiting.webhook_status) == ("openai", "DEFERRED")
    assert waiting.faults[0].code == "MODEL_MELTED"
    assert ports.requests.find(REQUEST_ID) == waiting


def test_a_row_in_a_state_that_only_a_newer_version_knows_is_left_to_it(ports: Ports) -> None:
    known = a_request(ports.clock()).model_dump()
    ports.requests.accept(row := AsyncRequest.model_validate(known | {"state": "PAUSED"}))
    assert not row.state.is_terminal
    assert not row.state.is_known
    assert ports.requests.cancel(REQUEST_ID, force=True) == row


@pytest.fixture
def unreadable(aws_ports: Ports) -> Ports:
    """Return ports to a table with one row that cannot be read among others."""
    for number in range(3):
        aws_ports.requests.accept(a_request(aws_ports.clock(), request_id=f"{number:032x}"))
    client("dynamodb").update_item(
        TableName="requests",
        Key={"request_id": {"S": f"{1:032x}"}},
        UpdateExpression="SET retry = :new",
        ExpressionAttributeValues={":new": {"S": '{"max_attempts": 1000}'}},
    )
    return aws_ports


@pytest.mark.integration
def test_a_row_that_cannot_be_read_hides_no_other(unreadable: Ports) -> None:
    ids = [RequestId(f"{number:032x}") for number in range(3)]
    assert set(unreadable.requests.find_many(ids)) == {ids[0], ids[2]}
    unreadable.clock.advance(600)
    due = unreadable.requests.due(10)
    assert {row.request_id for row in due} == set(ids)
    assert [row for row in due if isinstance(row, UnreadableRow)] == [UnreadableRow(ids[1])]


@pytest.mark.integration
def test_a_claim_of_a_row_that_cannot_be_read_has_no_effect(unreadable: Ports) -> None:
    with pytest.raises(UnreadableRowError):
        unreadable.requests.claim(RequestId(f"{1:032x}"), "worker-1", 30)
    item = client("dynamodb").get_item(
        TableName="requests", Key={"request_id": {"S": f"{1:032x}"}}, ConsistentRead=True
    )["Item"]
    assert item["state"]["S"] == RequestState.QUEUED
    assert item["attempts_left"]["N"] == "3"
    assert "lease_owner" not in item
