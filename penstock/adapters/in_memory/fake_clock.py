"""A clock that only moves when a test turns it."""

from datetime import UTC, datetime, timedelta

_START = datetime(2030, 1, 1, tzinfo=UTC)


class FakeClock:
    """A `Clock`: call it for the time, `advance` it to let time pass."""

    def __init__(self, now: datetime = _START) -> None:
        self._now = now

    def __call__(self) -> datetime:
        """Return the present moment."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
