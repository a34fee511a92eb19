"""Schedules: the emulator would keep them and never act, so the local stack calls their targets."""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.registration import (
    Made,
    MaterialiseError,
    Materialiser,
    Registration,
)

SCHEDULE = "aws:scheduler/schedule:Schedule"

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """A function that is called at a rate."""

    function_arn: str
    every: timedelta

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> Self:
        """Read a registered schedule.

        Raises:
            MaterialiseError: it is no rate; the local stack follows nothing else.
        """
        expression = declared["scheduleExpression"]
        rate = _RATE.fullmatch(expression)
        if rate is None:
            raise MaterialiseError(f"{expression}: the local stack follows only rate(…)")
        every = timedelta(**{f"{rate[2]}s": int(rate[1])})
        return cls(function_arn=declared["target"]["arn"], every=every)

    async def follow(self, aws: EmulatedAws) -> None:
        """Call the function at its rate until cancelled; a call that fails is not repeated."""
        while True:
            await asyncio.sleep(self.every.total_seconds())
            try:
                await asyncio.to_thread(self._call, aws)
            except Exception:  # whatever fails in one function ends nothing else
                logger.exception("scheduled call failed", extra={"function": self.function_arn})

    def _call(self, aws: EmulatedAws) -> None:
        aws.lambda_.invoke(FunctionName=self.function_arn, InvocationType="Event", Payload=b"{}")


def _schedule(_: EmulatedAws, schedule: Registration) -> Made:
    schedule.pass_over("flexibleTimeWindow", "description", "groupName")
    expression, target = schedule.need("scheduleExpression"), schedule.need("target")
    Schedule.of({"scheduleExpression": expression, "target": target})
    return schedule.made(schedule.name, name=schedule.name, arn=f"arn:schedule:{schedule.name}")


MATERIALISERS: dict[str, Materialiser] = {SCHEDULE: _schedule}
