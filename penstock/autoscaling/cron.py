"""Times as cron writes them, read and reckoned as KEDA's scaler does it: with robfig/cron."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from penstock.autoscaling.civil_time import instant_of

_ITEM = re.compile(r"(?:([*?])|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:/([0-9]{1,4}))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SEARCHED_YEARS = 5
_NOON = 12
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class _Kind:
    """What can stand in one of the five fields."""

    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()
    """For its values, from the first on."""

    def value(self, word: str) -> int:
        """Return what a number or a word stands for.

        Raises:
            ValueError: it stands for nothing here.
        """
        if word.lower() in self.words:
            return self.first + self.words.index(word.lower())
        if not word.isdecimal():
            words = f" and none of {', '.join(self.words)}" if self.words else ""
            raise ValueError(f"{word!r} is no number{words}: it stands for a {self.name}")
        number = int(word)
        if self.words == _WEEKDAYS and number == len(_WEEKDAYS):
            raise ValueError("a Sunday is 0 for KEDA")
        if not self.first <= number <= self.last:
            raise ValueError(
                f"{word} is out of range: a {self.name} is from {self.first} to {self.last}"
            )
        return number


_KINDS = (
    _Kind("minute", 0, 59),
    _Kind("hour", 0, 23),
    _Kind("day of month", 1, 31),
    _Kind("month", 1, 12, _MONTHS),
    _Kind("day of week", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True)
class _Field:
    """What one field allows."""

    allowed: frozenset[int]
    has_star: bool
    """Whether an item of it is a star that leaves nothing out: `*`, `?`, `*/1`."""

    def steps_from(self, value: int, end: int) -> int:
        """Return how far the next allowed value is, or the end of all values."""
        return min((after for after in self.allowed if after > value), default=end) - value

    @classmethod
    def read(cls, text: str, kind: _Kind) -> "_Field":
        """Read a field.

        Raises:
            ValueError: KEDA refuses it, or it is written oddly.
        """
        items = [_item(item, kind) for item in text.split(",")]
        return cls(
            frozenset(value for values, _ in items for value in values),
            any(has_star for _, has_star in items),
        )


def _item(text: str, kind: _Kind) -> tuple[range, bool]:
    found = _ITEM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a value, a range or a step of cron")
    star, first_word, last_word, step_word = found.groups()
    step = int(step_word or 1)
    if step == 0:
        raise ValueError(f"{text!r} has a step of 0")
    first, last = kind.first, kind.last
    if not star:
        first = kind.value(first_word)
        if last_word is not None:
            last = kind.value(last_word)
        elif step_word is None:
            last = first
    if first > last:
        raise ValueError(f"{text!r} is a range that ends before it begins")
    return range(first, last + 1, step), bool(star) and step == 1


@dataclass(frozen=True)
class CronSchedule:
    """The times that five fields name."""

    minutes: _Field
    hours: _Field
    days: _Field
    months: _Field
    weekdays: _Field

    @classmethod
    def read(cls, text: str) -> "CronSchedule":
        """Read minute, hour, day of month, month and day of week.

        Raises:
            ValueError: KEDA refuses them, or they are written oddly.
        """
        fields = text.split(" ")
        if len(fields) != len(_KINDS):
            raise ValueError(f"{text!r} is not minute, hour, day of month, month and day of week")
        return cls(*map(_Field.read, fields, _KINDS))

    def has_day(self, local: datetime) -> bool:
        """Return whether it comes on this day: where both fields leave days out, either decides."""
        by_date = local.day in self.days.allowed
        by_weekday = local.isoweekday() % 7 in self.weekdays.allowed
        if self.days.has_star or self.weekdays.has_star:
            return by_date and by_weekday
        return by_date or by_weekday

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when it comes next by the clock of `zone`, if it does within five years."""
        return _Search(self, zone, moment).found()


class _Search:
    """Goes from field to field as robfig/cron does, so that it errs with it when clocks change.

    A step returns whether it found a value before the next larger field went on.
    """

    def __init__(self, schedule: CronSchedule, zone: ZoneInfo, moment: datetime) -> None:
        self._schedule = schedule
        self._zone = zone
        self._has_moved = False
        self._go_to(moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1))

    def found(self) -> datetime | None:
        """Return the first moment that all fields allow."""
        last_year = self._local.year + _SEARCHED_YEARS
        while self._local.year <= last_year:
            if self._month() and self._day() and self._hour() and self._minute() and self._second():
                return self._at
        return None

    def _month(self) -> bool:
        while self._local.month not in self._schedule.months.allowed:
            if self._is_first_move():
                self._go_to_date(self._local.replace(day=1, hour=0, minute=0))
            self._go_to_date(self._local, months=1)
            if self._local.month == 1:
                return False
        return True

    def _day(self) -> bool:
        while not self._schedule.has_day(self._local):
            if self._is_first_move():
                self._go_to_date(self._local.replace(hour=0, minute=0))
            self._go_to_date(self._local, days=1)
            if hour := self._local.hour:  # its midnight was skipped
                self._go_to(self._at + _HOUR * (24 - hour if hour > _NOON else -hour))
            if self._local.day == 1:
                return False
        return True

    def _hour(self) -> bool:
        while self._local.hour not in self._schedule.hours.allowed:
            if self._is_first_move():
                self._go_to_date(self._local.replace(minute=0))
            self._step(_HOUR, self._schedule.hours.steps_from(self._local.hour, 24))
            if self._local.hour == 0:
                return False
        return True

    def _minute(self) -> bool:
        while self._local.minute not in self._schedule.minutes.allowed:
            if self._is_first_move():
                self._go_to(self._at.replace(second=0))
            self._step(_MINUTE, self._schedule.minutes.steps_from(self._local.minute, 60))
            if self._local.minute == 0:
                return False
        return True

    def _second(self) -> bool:
        if self._at.second == 0:
            return True
        self._has_moved = True
        self._go_to(self._at.replace(second=0) + _MINUTE)
        return False

    def _is_first_move(self) -> bool:
        is_first, self._has_moved = not self._has_moved, True
        return is_first

    def _step(self, unit: timedelta, steps: int) -> None:
        """Make steps at once; only one if the clock changes in between."""
        ahead = self._at + unit * steps
        is_plain = ahead.astimezone(self._zone).utcoffset() == self._local.utcoffset()
        self._go_to(ahead if is_plain else self._at + unit)

    def _go_to_date(self, local: datetime, *, months: int = 0, days: int = 0) -> None:
        clock = timedelta(hours=local.hour, minutes=local.minute)
        date = (local.year, local.month + months, local.day + days)
        self._go_to(instant_of(*date, clock, self._zone))

    def _go_to(self, moment: datetime) -> None:
        self._at, self._local = moment, moment.astimezone(self._zone)


_read = lru_cache(CronSchedule.read)


def checked_cron(text: str) -> str:
    """Return `text` if KEDA takes it and its time ever comes.

    Raises:
        ValueError: it does not.
    """
    if _read(text).next_after(datetime.now(UTC), ZoneInfo("UTC")) is None:
        raise ValueError(f"{text!r} never comes")
    return text


def is_between(start: str, end: str, timezone: str, moment: datetime) -> bool:
    """Return whether KEDA finds `moment` between a start and the end that follows it."""
    zone = ZoneInfo(timezone)
    starts, ends = (_read(text).next_after(moment, zone) for text in (start, end))
    if starts is None:  # for KEDA it then came long ago
        return True
    return ends is not None and ends <= starts
