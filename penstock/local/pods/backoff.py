"""How long to wait before something that failed is tried again."""


class Backoff:
    """Delays that double with every failure in a row, up to a longest one."""

    def __init__(self, first_seconds: float, longest_seconds: float) -> None:
        self.longest_seconds = longest_seconds
        self._first_seconds = first_seconds
        self._next_seconds = first_seconds

    def next_seconds(self) -> float:
        """Return the delay after one more failure."""
        delay = self._next_seconds
        self._next_seconds = min(2 * delay, self.longest_seconds)
        return delay

    def reset(self) -> None:
        """Begin again with the first delay: it worked."""
        self._next_seconds = self._first_seconds
