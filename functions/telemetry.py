"""Logs, traces and metrics, the same for every function."""

from collections.abc import Callable
from dataclasses import dataclass

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

Count = Callable[[str], None]
"""Counts one event by its name."""


@dataclass(frozen=True)
class Telemetry:
    """What a handler is decorated with."""

    logger: Logger
    tracer: Tracer
    metrics: Metrics

    def count(self, name: str) -> None:
        """Add one to a metric."""
        self.metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)


def telemetry(function: str) -> Telemetry:
    """Return the telemetry of a function."""
    return Telemetry(
        Logger(service=function),
        # Nothing but AWS calls is traced: a patched HTTP client would send our trace header to
        # the receivers of webhooks.
        Tracer(service=function, patch_modules=("botocore",)),
        Metrics(namespace="Penstock", service=function),
    )
