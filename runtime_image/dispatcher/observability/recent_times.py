"""Percentiles of what was measured lately, for whoever cannot read histograms."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

QUANTILES = (0.5, 0.95, 0.99)

_SECONDS = 300.0
_LIMIT = 2_000
"""Of measurements that are kept; of more in so short a time the newest say enough."""


class RecentTimes(Collector):
    """A gauge for each of a few quantiles; none while nothing was measured for minutes."""

    def __init__(
        self,
        name: str,
        text: str,
        labels: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._text, self._labels, self._clock = name, text, labels, clock
        self._measured: deque[tuple[float, float]] = deque(maxlen=_LIMIT)

    def observe(self, seconds: float) -> None:
        """Remember a measurement for a while."""
        self._measured.append((self._clock(), seconds))

    def collect(self) -> Iterable[Metric]:
        """Return the gauges, for Prometheus."""
        oldest = self._clock() - _SECONDS
        values = sorted(value for at, value in list(self._measured) if at >= oldest)
        family = GaugeMetricFamily(self._name, self._text, labels=[*self._labels, "quantile"])
        for quantile in QUANTILES if values else ():
            # The nearest rank: a value that was measured, the largest of a few.
            rank = min(len(values) - 1, int(quantile * len(values)))
            family.add_metric([*self._labels.values(), str(quantile)], values[rank])
        return [family]
