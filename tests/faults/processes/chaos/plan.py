"""What a chaos run does, and what it found."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is asked for, and how much goes wrong."""

    requests: int
    seconds_between_kills: float = 1
    fault_share: float = 0.03
    """Of all calls that dispatchers make to AWS."""

    model_fail_share: float = 0.2
    limit_seconds: float = 420
    """After which what is not done counts as lost or undelivered."""

    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of all requests."""

    requests: int
    kills: int
    faults: int
    failed: int
    """Ended FAILED after all their attempts, as their callers were told."""

    lost: int
    duplicated: int
    """Results, endings and announcements beyond the first."""

    undelivered: int
    model_calls: int
    seconds: float
    recoveries: tuple[float, ...]
    """Seconds from each kill to the next start of each request that ran there."""

    broken: tuple[str, ...]
    """What is wrong with which request."""

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.duplicated or self.undelivered)

    @property
    def line(self) -> str:
        """All figures in one line."""
        p50 = statistics.median(self.recoveries or [0])
        return (
            f"{self.requests} requests, {self.kills} kills, {self.faults} faults injected,"
            f" {self.lost} lost, {self.duplicated} duplicated effects,"
            f" {self.undelivered} undelivered, {self.failed} failed after all attempts;"
            f" {len(self.recoveries)} killed runs started again after {p50:.1f} s (p50),"
            f" {max(self.recoveries, default=0):.1f} s (max);"
            f" {self.model_calls} model calls in {self.seconds:.0f} s"
        )
