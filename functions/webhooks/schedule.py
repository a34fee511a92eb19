"""When a webhook that was not taken is sent again."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_DELAY_SECONDS = 12 * 3_600.0
"""SQS hides a received message no longer."""

_FIRST_SECONDS = 40
_FACTOR = 3
"""Full jitter draws from 0 to the bound, so it waits half the bound in the mean. The seven bounds
between eight attempts are 40 s, 2 min, 6 min, 18 min, 54 min, 2.7 h and 8.1 h: 12.1 h together, 6 h
in the mean. A factor of 3 gives a receiver that restarts three attempts within its first minutes,
and one that is repaired by a person two more after hours."""


def longest_delay_seconds(attempts: int) -> float:
    """Return the upper bound of the wait after so many attempts (1 or more)."""
    return float(min(_FIRST_SECONDS * _FACTOR ** (attempts - 1), LONGEST_DELAY_SECONDS))


def delay_seconds(attempts: int, retry_after_seconds: float, drawn: float) -> float:
    """Return the wait after so many attempts; `drawn` is random, from 0 to 1."""
    wanted = max(longest_delay_seconds(attempts) * drawn, retry_after_seconds)
    return min(wanted, LONGEST_DELAY_SECONDS)


def retry_after_seconds(header: str | None, now: datetime) -> float:
    """Return how long a receiver wants to be left alone: seconds or an HTTP date; else 0."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        # Nobody waits longer than SQS hides; a number of thousands of digits is not even read.
        return LONGEST_DELAY_SECONDS if len(text) > 9 else float(text)  # noqa: PLR2004 - 30 years
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if until.tzinfo is None:  # "-0000", or no zone at all
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
