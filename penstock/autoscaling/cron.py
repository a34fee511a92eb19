"""Times as cron writes them, read as KEDA's scaler reads them: by robfig/cron's standard parser."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter

_FIELDS = 5
_SUNDAY_TO_OTHERS = 7
_ITEM = re.compile(r"(?:[*?]|(\w+)(?:-(\w+))?)(?:/\d+)?")
_NAMES = (
    *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    *("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
)


def checked_cron(text: str) -> str:
    """Return `text` if KEDA takes it and its time ever comes.

    Raises:
        ValueError: it does not.
    """
    fields = text.split(" ")
    if len(fields) != _FIELDS:
        raise ValueError(f"{text!r} is not minute, hour, day of month, month and day of week")
    ranges = [_ranges(field) for field in fields]
    if any(first > last for field in ranges for first, last in field):
        raise ValueError(f"{text!r} has a range that ends before it begins")
    if any(last == _SUNDAY_TO_OTHERS for _, last in ranges[-1]):
        raise ValueError(f"{text!r}: KEDA's Sunday is 0")
    _next(text, datetime.now(UTC))
    return text


def is_between(start: str, end: str, timezone: str, moment: datetime) -> bool:
    """Return whether `moment` lies between a start and the end that follows it."""
    local = moment.astimezone(ZoneInfo(timezone))
    return _next(end, local) <= _next(start, local)


def _next(text: str, moment: datetime) -> datetime:
    found: datetime = croniter(text, moment).get_next(datetime)
    return found


def _ranges(field: str) -> list[tuple[int, int]]:
    """Return the first and the last value of each item that names any."""
    items = [(item, _ITEM.fullmatch(item)) for item in field.split(",")]
    if strange := [item for item, match in items if not match]:
        raise ValueError(f"{strange[0]!r} is not a value, a range or a step of cron")
    return [
        (_number(match[1]), _number(match[2] or match[1]))
        for _, match in items
        if match and match[1]
    ]


def _number(word: str) -> int:
    """Return a number that grows with what `word` stands for in its field."""
    if word.isdigit():
        return int(word)
    if word.lower() not in _NAMES:
        raise ValueError(f"{word!r} is no number, month or day of the week")
    return _NAMES.index(word.lower())
