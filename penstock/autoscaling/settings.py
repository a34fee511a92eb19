"""How a deployment scales, in the names and ranges of Baseten's autoscaling settings."""

from functools import cache
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from penstock.autoscaling.cron import checked_cron

_timezones = cache(available_timezones)


def _known_timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError(f"{name!r} is not an IANA time zone, such as Europe/London")
    return name


Cron = Annotated[str, AfterValidator(checked_cron)]
"""Minute, hour, day of month, month, day of week."""


class Schedule(BaseModel):
    """Replicas kept warm from each `start` to the following `end`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    timezone: Annotated[str, AfterValidator(_known_timezone)]
    """By its IANA name, such as `Europe/London`."""

    start: Cron
    """When they are there, as cron writes it: minute, hour, day of month, month, day of week. As
    KEDA reads it: `*/1` is a star, which leaves the days to the other field; a time that summer
    time skips does not come that day."""

    end: Cron
    """When they may go again, written alike."""

    desired_replicas: Annotated[int, Field(ge=1)]
    """Replicas in between; more if the queues ask for more."""

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"a schedule ends when it starts: {self.start!r}")
        return self


class AutoscalingSettings(BaseModel):
    """Between which bounds, how eagerly and how patiently a deployment scales."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    min_replica: Annotated[int, Field(ge=0)] = 0
    """Replicas that stay when nothing is queued. At 0 the next request waits until a node is there
    and the model loaded."""

    max_replica: Annotated[int, Field(ge=1)] = 1
    """Replicas at most."""

    autoscaling_window: Literal[0] | Annotated[int, Field(ge=10, le=3_600)] = 0
    """Seconds that demand must last before replicas are added. A queue's depth is a stock and
    needs no averaging, so 0 by default; Baseten's 60 averages the rate of synchronous calls."""

    scale_down_delay: Annotated[int, Field(ge=0, le=3_600)] = 900
    """Seconds of lower demand before each step down, and without demand before zero."""

    concurrency_target: Annotated[int, Field(ge=1)] = 1
    """Requests that one replica works on at a time."""

    target_utilization_percentage: Annotated[int, Field(ge=1, le=100)] = 100
    """The share of `concurrency_target` to plan with. Queued requests need no headroom: at
    Baseten's 70, one running request holds a second, idle replica."""

    max_scale_down_rate: Annotated[int, Field(ge=1, le=50)] = 50
    """The percentage of replicas removed per step, at most."""

    schedules: tuple[Schedule, ...] = ()
    """When replicas are kept warm; where several overlap, the most of them."""

    @model_validator(mode="after")
    def _fits_its_bounds(self) -> Self:
        if self.min_replica > self.max_replica:
            raise ValueError(
                f"min_replica {self.min_replica} is above max_replica {self.max_replica}"
            )
        for schedule in self.schedules:
            if schedule.desired_replicas > self.max_replica:
                raise ValueError(
                    f"a schedule wants {schedule.desired_replicas} replicas,"
                    f" above max_replica {self.max_replica}"
                )
        return self
