"""Measuring several things turn by turn, so that a noisy machine is noisy for all of them."""

from collections.abc import Callable, Mapping
from statistics import median

Sample = Mapping[str, float]


def medians(rounds: int, **measured: Callable[[], Sample]) -> dict[str, dict[str, float]]:
    """Measure each in turn, `rounds` times (A B A B …); return the median of every number."""
    samples: dict[str, list[Sample]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, measure in measured.items():
            samples[name].append(measure())
    return {
        name: {key: median(sample[key] for sample in taken) for key in taken[0]}
        for name, taken in samples.items()
    }
