"""What a dispatcher shows to Prometheus."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from penstock.contracts.observability.metric_names import WorkerMetric
from penstock.contracts.request import RequestState
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.observability.recent_times import RecentTimes

OWN = {"model_id": "ocr", "deployment_id": "ocr-v1"}


def _scraped(registry: CollectorRegistry) -> list[Metric]:
    return list(text_string_to_metric_families(generate_latest(registry).decode()))


def _busy() -> Metrics:
    metrics = Metrics(*OWN.values())
    metrics.observe_time_in_queue(3)
    metrics.count_failed_attempt("MODEL_PREDICT_ERROR")
    return metrics


def _exposed_names(metrics: Metrics) -> Iterator[str]:
    for family in _scraped(metrics.registry):
        yield family.name
        yield from (sample.name for sample in family.samples)


def test_every_metric_that_is_named_is_shown() -> None:
    assert set(WorkerMetric) - set(_exposed_names(_busy())) == set()


def test_every_metric_says_whose_it_is() -> None:
    for family in _scraped(_busy().registry):
        for sample in family.samples:
            assert sample.labels.items() >= OWN.items(), sample


def test_every_end_is_counted_from_zero() -> None:
    ended = Metrics(*OWN.values())

    states = {
        sample.labels["state"]: sample.value
        for family in _scraped(ended.registry)
        for sample in family.samples
        if sample.name == WorkerMetric.ENDED
    }
    assert states == {state: 0 for state in RequestState if state.is_terminal}


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _percentiles(times: RecentTimes) -> dict[str, float]:
    (family,) = times.collect()
    return {sample.labels["quantile"]: sample.value for sample in family.samples}


def test_percentiles_are_of_values_that_were_measured() -> None:
    times = RecentTimes("waited", "", OWN, _Clock())
    for value in range(1, 101):
        times.observe(value)

    assert _percentiles(times) == {"0.5": 51, "0.95": 96, "0.99": 100}


def test_one_value_is_every_percentile() -> None:
    times = RecentTimes("waited", "", OWN, _Clock())
    times.observe(7)

    assert _percentiles(times) == {"0.5": 7, "0.95": 7, "0.99": 7}


def test_what_is_long_past_is_forgotten() -> None:
    clock = _Clock()
    times = RecentTimes("waited", "", OWN, clock)
    times.observe(100)
    clock.now = 299
    times.observe(1)

    clock.now = 301
    assert _percentiles(times)["0.99"] == 1
    clock.now = 600
    assert _percentiles(times) == {}
