"""Webhooks are taken, tried again and given up."""

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.objects import S3ResultStore
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Succeeded
from penstock.contracts.request import RequestId, WebhookStatus
from tests.iam.callers import Callers
from tests.unit.functions.events import queue_event

_ENDS = {
    "200": WebhookStatus.SUCCEEDED,
    "410": WebhookStatus.FAILED,
    "500": WebhookStatus.PENDING,
}


def deliver(callers: Callers, receiver_url: str) -> None:
    """Send a webhook to receivers that answer differently; then one whose result is gone."""
    for answer, status in _ENDS.items():
        request_id = callers.submit("echo", webhook_endpoint=f"{receiver_url}/{answer}")
        _deliver(callers, _ended(callers, request_id), status)
    request_id = callers.submit("echo", webhook_endpoint=f"{receiver_url}/200")
    notification = _ended(callers, request_id)
    callers.lose_result(request_id)
    _deliver(callers, notification, WebhookStatus.SUCCEEDED)


def _deliver(callers: Callers, notification: Notification, status: WebhookStatus) -> None:
    event = queue_event(notification)
    (record,) = event["Records"]
    record["receiptHandle"] = _received(callers, record["body"])
    callers.processes.invoke("webhooks", event)
    assert callers.processes.row(notification.request_id).webhook_status is status


def _ended(callers: Callers, request_id: str) -> Notification:
    """End a request as a worker does."""
    intake = callers.processes.account.variables_of("intake")
    requests = callers.processes.requests()
    results = S3ResultStore(intake["PENSTOCK_RESULTS_BUCKET"], client("s3"))
    claimed = requests.claim(RequestId(request_id), "worker", 30)
    stored = results.put_result(claimed.request_id, b"{}", "application/json")
    return Notification.of(requests.finish(claimed, Succeeded(result=stored)))


def _received(callers: Callers, body: str) -> str:
    """Send a message and return the receipt that Lambda would have for it."""
    url = callers.processes.account.variables_of("webhooks")["PENSTOCK_WEBHOOK_QUEUE_URL"]
    client("sqs").send_message(QueueUrl=url, MessageBody=body)
    (message,) = client("sqs").receive_message(QueueUrl=url)["Messages"]
    return message["ReceiptHandle"]
