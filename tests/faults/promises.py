"""What callers of SageMaker were promised: one object at its place, one message to their topic."""

import json

from penstock.contracts.origin import Dialect, InputLocation, Location, SageMakerInvocation
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, RetryPolicy
from penstock.contracts.submission import OutputPlace, Submission
from tests.faults.story import Story
from tests.faults.world import ACME, INPUTS, TOPIC, World

INPUT = InputLocation(bucket=INPUTS, key="pages/1.png", content_type="image/png")
NO_INPUT = InputLocation(bucket=INPUTS, key="pages/none.png")
PLACES = "callers"
"""Their bucket."""

_OUTPUT = OutputPlace(
    result_folder=Location(bucket=PLACES, key="results"),
    failure_folder=Location(bucket=PLACES, key="failures"),
)


def sagemaker_submission(
    *,
    read_from: InputLocation | None = None,
    topic: str | None = TOPIC,
    max_time_in_queue_seconds: int = 600,
    max_attempts: int = 3,
    idempotency_key: str | None = "one",
) -> Submission:
    """Return a call of `InvokeEndpointAsync` at an endpoint with both paths and both topics."""
    return Submission(
        tenant=ACME,
        dialect=Dialect.SAGEMAKER,
        payload=b"" if read_from else b"1",
        input=read_from,
        output=_OUTPUT,
        invocation=SageMakerInvocation(
            endpoint_name="ocr",
            inference_id="id-1",
            success_topic=topic,
            error_topic=topic,
            include_response_in=("success",),
        ),
        max_time_in_queue_seconds=max_time_in_queue_seconds,
        retry=RetryPolicy(max_attempts=max_attempts, initial_delay_ms=0, retries_answers=False),
        idempotency_key=idempotency_key,
    )


class Promises:
    """Compares rows with places and topics."""

    def __init__(self, world: World) -> None:
        self._requests = world.requests
        self._results = world.results
        self._refusing = world.notifier.refusing

    def told(self, text: str) -> tuple[RequestId, str]:
        """Return whom a message to a caller's topic is about, and what is wrong with it."""
        message = json.loads(text)
        ((kind, uri),) = [
            each for each in message["responseParameters"].items() if each[0].endswith("Location")
        ]
        request_id = RequestId(uri.rpartition("/")[2].replace("-", "")[:32])
        row = self._requests.find(request_id)
        if row is None or not row.state.is_terminal:
            return request_id, "a caller was told of an end that is none"
        succeeded = row.state is RequestState.SUCCEEDED
        if (message["invocationStatus"], kind) != (
            ("Completed", "outputLocation") if succeeded else ("Failed", "failureLocation")
        ):
            return request_id, f"a caller was told {message} of what is {row.state}"
        lies_there = uri in {stored.uri for stored in self.lying(row)}
        return request_id, "" if lies_there else "a caller was told of an object that is not there"

    def is_told(self, row: AsyncRequest, story: Story) -> bool:
        """Whether the topic of an ended request's caller heard of it, if it listens."""
        if row.invocation is None or story.is_withdrawn:
            return True
        succeeded = row.state is RequestState.SUCCEEDED
        topic = row.invocation.success_topic if succeeded else row.invocation.error_topic
        return topic is None or topic in self._refusing or bool(story.callers_messages)

    def lying(self, row: AsyncRequest) -> list[StoredObject]:
        """Return the objects of a request, wherever they were to lie."""
        place = row.destination
        found = (
            self._results.look_for_result(row.request_id, place.result if place else None),
            self._results.find_failure(row.request_id, place.failure if place else None),
            # A place that takes nothing is replaced by our own.
            self._results.find_failure(row.request_id) if place else None,
        )
        return [stored for stored in found if stored is not None]
