"""Time as AWS has it, by which a machine's own clock is corrected."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from penstock.contracts.ports.clock import Clock, utc_now

if TYPE_CHECKING:
    from botocore.client import BaseClient

logger = logging.getLogger(__name__)

_SECOND = timedelta(seconds=1)
_WORTH_A_WARNING = timedelta(seconds=5)
_ASKED_AT = "penstock_asked_at"


class AwsClock:
    """A `Clock` that agrees with the `Date` of AWS's answers.

    Machines that compare their clocks through the times in a row must agree on what time it is. A
    `Date` has whole seconds, and it is not known when on its way an answer got it. So the
    correction is the smallest that the last answer allows: a clock that is right is not touched,
    another comes within a second.
    """

    def __init__(self, own: Clock = utc_now) -> None:
        """Correct `own`, once answers of AWS are listened to."""
        self._own = own
        self._correction = timedelta(0)
        self._is_warned = False
        self._looked_at: datetime | None = None

    def __call__(self) -> datetime:
        """Return the present moment."""
        return self._own() + self._correction

    @property
    def seconds_behind(self) -> float:
        """How far the machine's own clock is behind; negative when it is ahead."""
        return self._correction.total_seconds()

    def listen_to(self, client: "BaseClient") -> None:
        """Learn from every answer that `client` gets, failures included."""
        client.meta.events.register("before-call", self._asked)
        client.meta.events.register("after-call", self._answered)

    def _asked(self, context: dict[str, Any], **_: object) -> None:
        context[_ASKED_AT] = self._own()

    def _answered(self, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: object) -> None:
        now = self._own()
        asked_at = context.get(_ASKED_AT)
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date is None or asked_at is None or self._has_just_looked(now):
            return
        try:
            told = parsedate_to_datetime(date)
        except ValueError:
            return
        if told.tzinfo is not None:
            self._looked_at = now
            self._learn(least=told - now, most=told + _SECOND - asked_at)

    def _has_just_looked(self, now: datetime) -> bool:
        return self._looked_at is not None and abs(now - self._looked_at) < _SECOND

    def _learn(self, *, least: timedelta, most: timedelta) -> None:
        self._correction = min(max(self._correction, least), most)
        is_far_off = abs(self._correction) >= _WORTH_A_WARNING
        if is_far_off and not self._is_warned:
            logger.warning(
                "the clock of this machine is wrong; lease times are corrected",
                extra={"seconds_behind": round(self.seconds_behind, 1)},
            )
        self._is_warned = is_far_off
