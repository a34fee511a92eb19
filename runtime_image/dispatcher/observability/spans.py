"""Traces as OpenTelemetry's spans. Imported only where they are collected."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from penstock.contracts.ports.requests import Delivery
from runtime_image.dispatcher.observability.tracing import Tracing

_HEADER = "traceparent"


class SpanTracing(Tracing):
    """Records `receive` for each received message, with a child for each step."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("penstock.dispatcher")
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    def to_collector(cls) -> Self:
        """Return tracing to where the standard variables say, with what else they say."""
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def delivery(self, delivery: Delivery) -> Iterator[None]:
        """Continue the trace that came with the message, or begin one."""
        message = delivery.message
        carried = {_HEADER: message.traceparent} if message.traceparent else {}
        attributes: dict[str, str | int] = {
            "penstock.request_id": message.request_id,
            "penstock.priority": delivery.priority,
            "penstock.receive_count": delivery.receive_count,
        }
        before = self._propagator.extract(carried, context=Context())
        with self._span("receive", SpanKind.CONSUMER, attributes, before):
            yield

    @contextmanager
    def step(self, name: str, **attributes: str | int) -> Iterator[None]:
        """Record a child of what is being recorded in this task."""
        named = {f"penstock.{key}": value for key, value in attributes.items()}
        kind = SpanKind.CLIENT if name == "predict" else SpanKind.INTERNAL
        with self._span(name, kind, named):
            yield

    def traceparent(self) -> str | None:
        """Return the span at hand, for whoever comes next."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(_HEADER) or super().traceparent()

    def close(self) -> None:
        """Send what was recorded."""
        self._provider.shutdown()

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, str | int],
        before: Context | None = None,
    ) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name,
            before,
            kind,
            attributes,
            # An error's text may quote what the model said.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
