"""How long SQS lets a message stay hidden."""

import math

_LIMIT_SECONDS = 43_200  # SQS: 12 h in total, counted from the receive, not from the last change
_LONGEST_DELAY_SECONDS = 900
_MARGIN_SECONDS = 5  # our clock started a little after that of SQS


def visibility_seconds(wanted_seconds: float, held_seconds: float) -> int:
    """Return the timeout to set now on a message received `held_seconds` ago.

    SQS refuses a timeout that passes its limit instead of shortening it.
    """
    remaining = math.floor(_LIMIT_SECONDS - _MARGIN_SECONDS - held_seconds)
    return max(0, min(math.ceil(wanted_seconds), remaining))


def delay(wanted_seconds: float) -> int:
    """Return after how long a message that is sent now is seen for the first time."""
    return min(math.ceil(wanted_seconds), _LONGEST_DELAY_SECONDS)
