"""One request is one trace, whatever happens to it on the way."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, StatusCode

from penstock.contracts.observability.trace_context import TraceContext
from penstock.contracts.outcome import FaultCode
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import RequestState, RetryPolicy
from runtime_image.dispatcher.model_server.server import ModelFaultError
from runtime_image.dispatcher.observability.spans import SpanTracing
from runtime_image.dispatcher.observability.tracing import NO_TRACING, Tracing, tracing_of
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until

INTAKE = TraceContext("5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8", is_sampled=True)
STEPS = {"claim", "load", "predict", "store", "announce"}


@dataclass
class Recorded:
    """Tracing whose spans are kept, and what they say."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    tracing: Tracing = field(init=False)

    def __post_init__(self) -> None:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = SpanTracing(provider)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def children_of(self, parent: ReadableSpan) -> set[str]:
        return {span.name for span in self.spans if _parent_of(span) == _id_of(parent)}

    @property
    def trace_ids(self) -> set[str]:
        return {f"{_context_of(span).trace_id:032x}" for span in self.spans}


def _context_of(span: ReadableSpan) -> SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context


def _id_of(span: ReadableSpan) -> str:
    return f"{_context_of(span).span_id:016x}"


def _parent_of(span: ReadableSpan) -> str | None:
    return f"{span.parent.span_id:016x}" if span.parent else None


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.tracing.close()


@pytest.fixture
def world() -> World:
    return World(utc_now)


async def _run(
    world: World,
    tracing: Tracing,
    model: HeldModel,
    state: RequestState = RequestState.SUCCEEDED,
    traceparent: str | None = INTAKE.traceparent,
) -> None:
    request_id = world.submit(
        traceparent=traceparent, retry=RetryPolicy(max_attempts=2, initial_delay_ms=0)
    )
    async with dispatching(world, model, tracing):
        await until(all_in(world, [request_id], state))


async def test_every_step_of_a_request_is_in_the_trace_that_intake_began(
    world: World, recorded: Recorded
) -> None:
    await _run(world, recorded.tracing, HeldModel())

    (receive,) = recorded.named("receive")
    assert _parent_of(receive) == INTAKE.parent_id
    assert recorded.children_of(receive) == STEPS
    assert recorded.trace_ids == {INTAKE.trace_id}


async def test_a_retry_goes_on_in_the_same_trace(world: World, recorded: Recorded) -> None:
    model = HeldModel()

    async def fail_once(content: bytes) -> bytes:
        if len(model.asked) == 1:
            raise ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom")
        return content

    model.behaviour = fail_once
    await _run(world, recorded.tracing, model)

    first, second = recorded.named("receive")
    assert {_parent_of(first), _parent_of(second)} == {INTAKE.parent_id}
    assert recorded.children_of(first) == STEPS - {"announce"} | {"put back"}
    assert recorded.children_of(second) == STEPS
    assert recorded.trace_ids == {INTAKE.trace_id}
    attempts = [dict(span.attributes or {}) for span in recorded.named("predict")]
    assert attempts == [{"penstock.attempt": 1}, {"penstock.attempt": 2}]


async def test_a_failed_step_says_how_and_not_what_the_model_said(
    world: World, recorded: Recorded
) -> None:
    async def fail(_: bytes) -> bytes:
        raise ModelFaultError(FaultCode.MODEL_INVALID_INPUT, "a secret of the caller's")

    await _run(world, recorded.tracing, HeldModel(fail), RequestState.FAILED)

    (predict,) = recorded.named("predict")
    assert predict.status.status_code is StatusCode.ERROR
    assert "secret" not in "".join(span.to_json() for span in recorded.spans)


async def test_a_request_without_a_trace_begins_one(world: World, recorded: Recorded) -> None:
    await _run(world, recorded.tracing, HeldModel(), traceparent=None)

    (receive,) = recorded.named("receive")
    assert _parent_of(receive) is None
    assert recorded.children_of(receive) == STEPS


@pytest.mark.parametrize("broken", ["", "00-0-0-01", "what the caller likes"])
async def test_what_is_no_trace_context_does_no_harm(
    world: World, recorded: Recorded, broken: str
) -> None:
    await _run(world, recorded.tracing, HeldModel(), traceparent=broken)

    (receive,) = recorded.named("receive")
    assert _parent_of(receive) is None


async def test_what_intake_does_not_sample_is_not_recorded(
    world: World, recorded: Recorded
) -> None:
    await _run(
        world,
        recorded.tracing,
        HeldModel(),
        traceparent=INTAKE._replace(is_sampled=False).traceparent,
    )

    assert recorded.spans == ()


async def test_requests_that_run_at_once_keep_their_traces_apart(
    world: World, recorded: Recorded
) -> None:
    traces = [INTAKE._replace(trace_id=f"{number:032x}") for number in range(1, 9)]
    ids = [world.submit(traceparent=trace.traceparent) for trace in traces]
    async with dispatching(world, HeldModel(), recorded.tracing, concurrency_target=4):
        await until(all_in(world, ids, RequestState.SUCCEEDED))

    assert recorded.trace_ids == {trace.trace_id for trace in traces}
    for receive in recorded.named("receive"):
        assert recorded.children_of(receive) == STEPS


async def test_the_notification_continues_from_the_announcement(
    world: World, recorded: Recorded
) -> None:
    await _run(world, recorded.tracing, HeldModel())

    (announce,) = recorded.named("announce")
    (notification,) = world.notifier.published
    told = TraceContext.of_traceparent(notification.traceparent)
    assert told == TraceContext(INTAKE.trace_id, _id_of(announce), is_sampled=True)


async def test_without_a_collector_the_notification_hands_the_trace_on(world: World) -> None:
    await _run(world, NO_TRACING, HeldModel())

    (notification,) = world.notifier.published
    assert notification.traceparent == INTAKE.traceparent


async def test_the_model_server_continues_from_the_call(world: World, recorded: Recorded) -> None:
    told: list[str | None] = []

    async def look(content: bytes) -> bytes:
        told.append(recorded.tracing.traceparent())
        return content

    await _run(world, recorded.tracing, HeldModel(look))

    (predict,) = recorded.named("predict")
    assert [TraceContext.of_traceparent(each) for each in told] == [
        TraceContext(INTAKE.trace_id, _id_of(predict), is_sampled=True)
    ]


def test_without_an_endpoint_nothing_is_recorded() -> None:
    assert tracing_of({}) is NO_TRACING


def test_a_dispatcher_without_an_endpoint_never_imports_opentelemetry() -> None:
    look = (
        "import sys; import runtime_image.dispatcher.__main__;"
        "from runtime_image.dispatcher.observability.tracing import tracing_of; tracing_of({});"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    found = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == "[]"


def test_an_endpoint_of_the_standard_variables_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:4318")

    tracing = tracing_of()
    tracing.close()

    assert isinstance(tracing, SpanTracing)
