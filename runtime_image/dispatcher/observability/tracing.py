"""The trace of a request through this process; recorded only where somebody collects it."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from penstock.contracts.ports.requests import Delivery
from runtime_image.dispatcher.observability.correlation import handed_on

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NOTHING = nullcontext()


class Tracing:
    """Hands traces on and records nothing."""

    def delivery(self, delivery: Delivery) -> AbstractContextManager[None]:  # noqa: ARG002 - others record it
        """Span what happens to a received message; one of a retry is in the same trace."""
        return _NOTHING

    def step(self, name: str, **attributes: str | int) -> AbstractContextManager[None]:  # noqa: ARG002 - others record it
        """Span one step of it."""
        return _NOTHING

    def traceparent(self) -> str | None:
        """Return what the next process continues from."""
        return handed_on()

    def close(self) -> None:
        """Send what was recorded."""


NO_TRACING = Tracing()


def tracing_of(environ: Mapping[str, str] = os.environ) -> Tracing:
    """Return tracing as the standard variables of OpenTelemetry want it."""
    if not any(environ.get(name) for name in _ENDPOINTS):
        return NO_TRACING
    # OpenTelemetry is slow to import, and only here of use.
    from runtime_image.dispatcher.observability.spans import SpanTracing  # noqa: PLC0415 - see above

    return SpanTracing.to_collector()
