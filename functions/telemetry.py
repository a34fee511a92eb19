"""Logs and metrics, the same for every function, and where its trace stands.

Lambda itself traces each invocation. The X-Ray SDK, which would add the AWS calls, takes 100 ms of
each cold start to import, so only the webhooks function has it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from penstock.contracts.observability.metric_names import FunctionMetric
from penstock.contracts.observability.trace_context import XRAY_VARIABLE, TraceContext

Count = Callable[[FunctionMetric], None]
"""Counts one event by its name."""

_NAMESPACE_VARIABLE = "POWERTOOLS_METRICS_NAMESPACE"
_NAMESPACE_WITHOUT_STACK = "Penstock"


_counting = Lock()


@dataclass(frozen=True)
class Telemetry:
    """What a handler is decorated with."""

    logger: Logger
    metrics: Metrics

    def count(self, name: FunctionMetric) -> None:
        """Add one to a metric; threads may do so at once, which powertools itself does not bear."""
        with _counting:
            self.metrics.add_metric(name=name.value, unit=MetricUnit.Count, value=1)


def traceparent() -> str | None:
    """Return where the trace of this invocation stands, for whoever continues it."""
    context = TraceContext.of_xray(os.environ.get(XRAY_VARIABLE, ""))
    return context.traceparent if context else None


def telemetry(function: str) -> Telemetry:
    """Return the telemetry of a function."""
    namespace = os.environ.get(_NAMESPACE_VARIABLE, _NAMESPACE_WITHOUT_STACK)
    return Telemetry(
        Logger(service=function),
        Metrics(namespace=namespace, service=function),
    )
