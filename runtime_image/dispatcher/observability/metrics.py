"""Prometheus metrics, with Baseten's names under `penstock_`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600)
_BYTES = tuple(4.0**power for power in range(4, 17))
_LABELS = ("model_id", "deployment_id")


class Metrics:
    """What the dispatcher of one deployment counts."""

    def __init__(self, model_id: str, deployment_id: str) -> None:
        self.registry = CollectorRegistry()
        own = (model_id, deployment_id)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            made = Histogram(name, text, _LABELS, registry=self.registry, buckets=buckets)
            return made.labels(*own)

        self.time_in_queue = histogram(
            "penstock_time_in_async_queue_seconds",
            "From acceptance to the first start of a request.",
            _SECONDS,
        )
        self.predict = histogram(
            "penstock_predict_seconds", "One call to the model server.", _SECONDS
        )
        self.end_to_end = histogram(
            "penstock_end_to_end_response_time_seconds",
            "From acceptance to the terminal state.",
            _SECONDS,
        )
        self.request_size = histogram(
            "penstock_request_size_bytes", "Payload handed to the model server.", _BYTES
        )
        self.response_size = histogram(
            "penstock_response_size_bytes", "Answer of the model server.", _BYTES
        )
        self._ended = Counter(
            "penstock_inference_requests",
            "Requests that ended here, by terminal state.",
            (*_LABELS, "state"),
            registry=self.registry,
        )
        self._attempts_failed = Counter(
            "penstock_failed_attempts",
            "Attempts that failed, by fault code.",
            (*_LABELS, "code"),
            registry=self.registry,
        )
        self.in_flight: Gauge = Gauge(
            "penstock_concurrent_requests",
            "Calls to the model server in flight.",
            _LABELS,
            registry=self.registry,
        ).labels(*own)
        self._own = own

    def count_ended(self, state: str) -> None:
        """Count a request that reached its terminal state."""
        self._ended.labels(*self._own, state).inc()

    def count_failed_attempt(self, code: str) -> None:
        """Count an attempt that failed."""
        self._attempts_failed.labels(*self._own, code).inc()
