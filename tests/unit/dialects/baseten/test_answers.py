"""Rows in Baseten's words."""

import json
from datetime import timedelta

import pytest

from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import RequestState, WebhookStatus
from penstock.dialects.baseten.answers import (
    cancel_answer,
    request_status,
    shown_errors,
    shown_status,
)
from tests.unit.dialects.baseten.rows import NOON, a_row

FAULT = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")


@pytest.mark.spec("baseten", 11)
def test_a_fresh_request_has_every_key_and_times_of_one_length() -> None:
    row = a_row()
    assert json.loads(request_status(row).model_dump_json()) == {
        "request_id": row.request_id,
        "model_id": "ocr",
        "deployment_id": "ocr-1",
        "status": "QUEUED",
        "webhook_status": "PENDING",
        "created_at": "2026-01-02T12:00:00.000000Z",
        "status_at": "2026-01-02T12:00:01.500000Z",
        "errors": [],
    }


def test_microseconds_are_kept() -> None:
    row = a_row(created_at=NOON + timedelta(microseconds=678_901))
    assert '"2026-01-02T12:00:00.678901Z"' in request_status(row).model_dump_json()


@pytest.mark.spec("baseten", 13)
def test_a_retry_that_waits_is_shown_in_progress() -> None:
    assert shown_status(a_row(attempt=1)) == "IN_PROGRESS"


def test_an_expired_retry_is_not_shown_in_progress() -> None:
    assert shown_status(a_row(attempt=1, state=RequestState.FAILED)) == "FAILED"


@pytest.mark.spec("baseten", 31)
@pytest.mark.parametrize(
    ("state", "shown"),
    [(RequestState.SUCCEEDED, "WEBHOOK_FAILED"), (RequestState.FAILED, "FAILED")],
)
def test_only_a_success_can_fail_by_its_webhook(state: RequestState, shown: str) -> None:
    assert shown_status(a_row(state=state, webhook_status=WebhookStatus.FAILED)) == shown


@pytest.mark.parametrize("state", RequestState)
def test_faults_are_shown_once_the_request_ended_without_a_result(state: RequestState) -> None:
    without_result = {RequestState.FAILED, RequestState.EXPIRED, RequestState.CANCELED}
    expected = (FAULT,) if state in without_result else ()
    assert shown_errors(a_row(state=state, faults=(FAULT,))) == expected


def test_an_expired_request_says_how_long_it_waited() -> None:
    (fault,) = shown_errors(a_row(state=RequestState.EXPIRED))
    assert fault.code is FaultCode.MODEL_UNAVAILABLE
    assert "within 600 s" in fault.message


@pytest.mark.parametrize(
    ("changes", "canceled", "says"),
    [
        ({"state": RequestState.CANCELED}, True, "was canceled"),
        ({"state": RequestState.SUCCEEDED}, False, "too late: the request is SUCCEEDED"),
        ({"state": RequestState.IN_PROGRESS, "attempt": 1}, False, "force=true"),
        ({"state": RequestState.QUEUED, "attempt": 1}, False, "force=true"),
        (
            {"state": RequestState.IN_PROGRESS, "attempt": 1, "cancel_requested": True},
            False,
            "Cancellation was requested",
        ),
    ],
)
def test_only_a_canceled_request_is_said_to_be(
    changes: dict[str, object], *, canceled: bool, says: str
) -> None:
    answer = cancel_answer(a_row(**changes))
    assert answer.canceled is canceled
    assert says in answer.message
