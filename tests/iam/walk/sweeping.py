"""The sweeper ends what nobody else ends, and tells of it."""

from datetime import timedelta

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.objects import S3ResultStore
from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import RequestId, RequestState
from tests.iam.callers import Callers
from tests.iam.processes import DEPLOYMENT, Processes
from tests.iam.walk.working import BEFORE

_CLAIMS_MINUTES_AGO = (50, 45, 40)
"""As often as a request may be tried; each lease lapsed before the next."""


def sweep(callers: Callers) -> None:
    """Sweep once, over requests that were left in every way and the worker's dead letters."""
    processes = callers.processes
    late = [callers.submit("echo"), callers.submit("echo"), callers.invoke("echo")]
    given_up = [callers.submit("echo"), callers.invoke("echo")]
    with_results = [callers.invoke("echo"), callers.invoke("echo", BEFORE)]
    lost, moved = callers.submit("echo"), callers.submit("echo")
    _empty_queues(processes)
    for request_id in late:
        _accept_an_hour_ago(processes, request_id, lives_minutes=10)
    _store_failure(processes, late[0])
    for request_id in (*given_up, *with_results):
        _accept_an_hour_ago(processes, request_id)
        _die_with(processes, request_id, *_CLAIMS_MINUTES_AGO)
    for request_id in with_results:
        _store_result(processes, request_id)
    _accept_an_hour_ago(processes, lost)
    _die_with(processes, lost, _CLAIMS_MINUTES_AGO[0])
    _accept_an_hour_ago(processes, moved)  # a letter ends what has stood still for long
    _move_to_dead_letters(processes, moved)

    processes.invoke("sweeper", {})

    expected = dict.fromkeys(late, RequestState.EXPIRED)
    expected |= dict.fromkeys([*given_up, lost, moved], RequestState.FAILED)
    expected |= dict.fromkeys(with_results, RequestState.SUCCEEDED)
    ended = {request_id: processes.row(request_id) for request_id in expected}
    assert {request_id: row.state for request_id, row in ended.items()} == expected
    assert not any(row.is_unannounced for row in ended.values())


def _empty_queues(processes: Processes) -> None:
    variables = processes.account.variables_of_worker(DEPLOYMENT)
    for priority in range(3):
        client("sqs").purge_queue(QueueUrl=variables[f"PENSTOCK_QUEUE_URL_P{priority}"])


def _move_to_dead_letters(processes: Processes, request_id: str) -> None:
    """Put a message where SQS itself puts those that were received too often."""
    variables = processes.account.variables_of_worker(DEPLOYMENT)
    message = QueueMessage(request_id=RequestId(request_id), text="{}")
    client("sqs").send_message(
        QueueUrl=variables["PENSTOCK_DEAD_LETTER_QUEUE_URL"], MessageBody=message.encoded()
    )


def _accept_an_hour_ago(
    processes: Processes, request_id: str, *, lives_minutes: float = 1_000
) -> None:
    """Put a row in the place of another, as it would be had it been accepted then."""
    row, then = processes.row(request_id), utc_now() - timedelta(hours=1)
    table = processes.account.variables_of("intake")["PENSTOCK_REQUESTS_TABLE"]
    client("dynamodb").delete_item(TableName=table, Key={"request_id": {"S": request_id}})
    times = {"created_at": then, "status_at": then}
    deadline = {"deadline_at": then + timedelta(minutes=lives_minutes)}
    processes.requests(minutes_ago=60).accept(row.model_copy(update=times | deadline))


def _die_with(processes: Processes, request_id: str, *minutes_ago: float) -> None:
    """Claim a request as workers that were never seen again."""
    for each in minutes_ago:
        processes.requests(each).claim(RequestId(request_id), "dead", 30)


def _store_result(processes: Processes, request_id: str) -> None:
    """Leave a result, beside the document of an attempt before it."""
    destination = processes.row(request_id).destination
    assert destination is not None
    results, named = _results(processes), RequestId(request_id)
    results.put_failure(named, b"{}", place=destination.failure)
    results.put_result(named, b"{}", "application/json", place=destination.result)


def _store_failure(processes: Processes, request_id: str) -> None:
    """Leave what another sweep stored that was cut off."""
    _results(processes).put_failure(RequestId(request_id), b"{}")


def _results(processes: Processes) -> S3ResultStore:
    bucket = processes.account.variables_of("sweeper")["PENSTOCK_RESULTS_BUCKET"]
    return S3ResultStore(bucket, client("s3"))
