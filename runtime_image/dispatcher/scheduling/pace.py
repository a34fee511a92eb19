"""How fast this worker gets through its requests."""

import math

_SMOOTHING = 0.2
"""Weight of the newest service time in the moving average."""


class Pace:
    """Foretells starts from how long the last requests ran."""

    def __init__(self, slots: int, longest_seconds: float) -> None:
        self._slots = slots
        self._longest_seconds = longest_seconds
        self._service_seconds: float | None = None

    def learn(self, ran_seconds: float) -> None:
        """Take in how long the model had a request."""
        known = self._service_seconds
        self._service_seconds = (
            ran_seconds if known is None else known + _SMOOTHING * (ran_seconds - known)
        )

    def starts_within(self, seconds: float) -> int:
        """Return how many requests would start within `seconds` while all slots are busy.

        None, where one takes longer than `longest_seconds`.
        """
        if self._service_seconds is None or self._service_seconds > self._longest_seconds:
            return 0
        return math.ceil(seconds * self._slots / max(self._service_seconds, 1e-4))
