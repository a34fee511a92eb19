"""Prometheus metrics, with Baseten's names under `penstock_`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from penstock.contracts.observability.metric_names import WorkerMetric
from penstock.contracts.request import RequestState
from runtime_image.dispatcher.observability.recent_times import RecentTimes

_SECONDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600)
_BYTES = tuple(4.0**power for power in range(4, 17))
_REQUESTS = (1, 2, 4, 8, 16, 32, 64, 128)
_LABELS = ("model_id", "deployment_id")


class Metrics:
    """What the dispatcher of one deployment counts."""

    def __init__(self, model_id: str, deployment_id: str) -> None:
        self.registry = CollectorRegistry()
        own = (model_id, deployment_id)

        def histogram(name: WorkerMetric, text: str, buckets: tuple[float, ...]) -> Histogram:
            made = Histogram(name.value, text, _LABELS, registry=self.registry, buckets=buckets)
            return made.labels(*own)

        self._time_in_queue = histogram(
            WorkerMetric.TIME_IN_QUEUE, "From acceptance to the first start of a request.", _SECONDS
        )
        self._recent_time_in_queue = RecentTimes(
            WorkerMetric.RECENT_TIME_IN_QUEUE.value,
            "The same, as percentiles of the last five minutes.",
            dict(zip(_LABELS, own, strict=True)),
        )
        self.registry.register(self._recent_time_in_queue)
        self.predict = histogram(WorkerMetric.PREDICT, "One call to the model server.", _SECONDS)
        self.end_to_end = histogram(
            WorkerMetric.END_TO_END, "From acceptance to the terminal state.", _SECONDS
        )
        self.request_size = histogram(
            WorkerMetric.REQUEST_SIZE, "Payload handed to the model server.", _BYTES
        )
        self.response_size = histogram(
            WorkerMetric.RESPONSE_SIZE, "Answer of the model server.", _BYTES
        )
        self.batch_size = histogram(
            WorkerMetric.BATCH_SIZE, "Requests in one call to the model server.", _REQUESTS
        )
        self._ended = Counter(
            WorkerMetric.ENDED.value,
            "Requests that ended here, by terminal state.",
            (*_LABELS, "state"),
            registry=self.registry,
        )
        self._attempts_failed = Counter(
            WorkerMetric.FAILED_ATTEMPTS.value,
            "Attempts that failed, by fault code.",
            (*_LABELS, "code"),
            registry=self.registry,
        )
        self.in_flight: Gauge = Gauge(
            WorkerMetric.IN_FLIGHT.value,
            "Calls to the model server in flight.",
            _LABELS,
            registry=self.registry,
        ).labels(*own)
        self.clock_behind: Gauge = Gauge(
            WorkerMetric.CLOCK_BEHIND.value,
            "How far this machine's clock is behind AWS's; lease times are corrected by it.",
            _LABELS,
            registry=self.registry,
        ).labels(*own)
        self._own = own
        for state in RequestState:
            if state.is_terminal:
                # From zero, or whoever counts by differences misses the first.
                self._ended.labels(*own, state)

    def observe_time_in_queue(self, seconds: float) -> None:
        """Note how long a request waited for its first start."""
        self._time_in_queue.observe(seconds)
        self._recent_time_in_queue.observe(seconds)

    def count_ended(self, state: str) -> None:
        """Count a request that reached its terminal state."""
        self._ended.labels(*self._own, state).inc()

    def count_failed_attempt(self, code: str) -> None:
        """Count an attempt that failed."""
        self._attempts_failed.labels(*self._own, code).inc()
