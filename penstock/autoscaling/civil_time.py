"""Local time as Go's `time` package reckons it: KEDA is written in Go."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def instant_of(year: int, month: int, day: int, clock: timedelta, zone: ZoneInfo) -> datetime:
    """Return when a date and the time since its midnight are, in UTC; months and days may overflow.

    A time that clocks skip or repeat is taken as Go's `time.Date` takes it.
    """
    years, months = divmod(month - 1, 12)
    first = datetime(year + years, months + 1, 1, tzinfo=UTC)
    as_if_utc = first + timedelta(days=day - 1) + clock
    offset = _offset(as_if_utc, zone)
    if not offset:
        return as_if_utc
    return as_if_utc - _offset(as_if_utc - offset, zone)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
