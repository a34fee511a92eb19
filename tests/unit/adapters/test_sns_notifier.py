"""What SNS did not take is handed back."""

from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.notifier import SnsNotifier
from penstock.contracts.errors import TopicRefusedError, UnavailableError
from penstock.contracts.notification import Notification
from penstock.contracts.request import RequestId, RequestState, Tenant

pytestmark = pytest.mark.usefixtures("aws_variables")

SUCCEEDED_TOPIC = "arn:aws:sns:eu-central-1:1:succeeded"
FAILED_TOPIC = "arn:aws:sns:eu-central-1:1:failed"


def succeeded(number: int) -> Notification:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return Notification(
        event_id=f"{number}.succeeded",
        request_id=RequestId(str(number)),
        tenant=Tenant("acme"),
        model_id="ocr",
        deployment_id="v1",
        state=RequestState.SUCCEEDED,
        created_at=now,
        ended_at=now,
        attempts=1,
        result=None,
        faults=(),
        has_webhook=False,
    )


def test_refused_notifications_are_handed_back() -> None:
    notifications = [succeeded(number) for number in range(12)]
    refused = {"Id": "1", "Code": "InternalError", "SenderFault": False}
    with Stubber(client("sns")) as stubber:
        stubber.add_response("publish_batch", {"Successful": [], "Failed": [refused]})
        stubber.add_response("publish_batch", {"Successful": [], "Failed": [refused]})
        notifier = SnsNotifier(SUCCEEDED_TOPIC, FAILED_TOPIC, client("sns"))
        assert notifier.publish(notifications) == [notifications[1], notifications[11]]


def test_a_throttled_topic_is_unavailable() -> None:
    with Stubber(client("sns")) as stubber:
        stubber.add_client_error("publish_batch", "Throttling", http_status_code=400)
        with pytest.raises(UnavailableError, match="publish notifications failed: Throttling"):
            SnsNotifier(SUCCEEDED_TOPIC, FAILED_TOPIC, client("sns")).publish([succeeded(1)])


@pytest.mark.parametrize("code", ["NotFound", "AuthorizationError", "InvalidParameter"])
def test_a_topic_that_will_never_take_a_message_refuses(code: str) -> None:
    with Stubber(client("sns")) as stubber:
        stubber.add_client_error("publish", code, http_status_code=403)
        with pytest.raises(TopicRefusedError, match=f"{FAILED_TOPIC} refused a message: {code}"):
            SnsNotifier(SUCCEEDED_TOPIC, FAILED_TOPIC, client("sns")).publish_to(FAILED_TOPIC, "{}")


@pytest.mark.parametrize(("code", "status"), [("Throttled", 429), ("KMSThrottling", 400)])
def test_a_throttled_topic_of_a_caller_is_unavailable(code: str, status: int) -> None:
    with Stubber(client("sns")) as stubber:
        stubber.add_client_error("publish", code, http_status_code=status)
        with pytest.raises(UnavailableError, match="publish to topic failed"):
            SnsNotifier(SUCCEEDED_TOPIC, FAILED_TOPIC, client("sns")).publish_to(FAILED_TOPIC, "{}")
