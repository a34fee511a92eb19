"""What a ScaledObject's spec tells KEDA and the HPA to do, read back from the spec.

A field that nobody here follows is refused: a spec is followed as a whole or not at all.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from penstock.autoscaling.cron import is_between
from penstock.autoscaling.formula import Formula
from penstock.contracts.errors import SettingsError

Seconds = Annotated[int, Field(ge=0)]
WindowSeconds = Annotated[int, Field(ge=0, le=3_600)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class ScalingPolicy(_Part):
    """How far replicas may move within a period."""

    type: Literal["Percent", "Pods"]
    value: Annotated[int, Field(ge=1)]
    period_seconds: Annotated[int, Field(ge=1, le=1_800)]

    def highest(self, start: int) -> int:
        """Return how many replicas there may be, if the period began with `start`."""
        if self.type == "Pods":
            return start + self.value
        return math.ceil(start * (1 + self.value / 100))

    def lowest(self, start: int) -> int:
        """Return how few replicas there may be, if the period began with `start`."""
        if self.type == "Pods":
            return start - self.value
        return math.trunc(start * (1 - self.value / 100))


_DOUBLE = ScalingPolicy(type="Percent", value=100, periodSeconds=15)
_FOUR_MORE = ScalingPolicy(type="Pods", value=4, periodSeconds=15)


class ScaleUp(_Part):
    """One direction of the HPA's behaviour, with the defaults of Kubernetes."""

    stabilization_window_seconds: WindowSeconds = 0
    tolerance: Annotated[float, Field(ge=0)] = 0.1
    select_policy: Literal["Max", "Min", "Disabled"] = "Max"
    policies: Annotated[tuple[ScalingPolicy, ...], Field(min_length=1)] = (_DOUBLE, _FOUR_MORE)


class ScaleDown(ScaleUp):
    """The other direction."""

    stabilization_window_seconds: WindowSeconds = 300
    policies: Annotated[tuple[ScalingPolicy, ...], Field(min_length=1)] = (_DOUBLE,)


class Behavior(_Part):
    """How the HPA moves."""

    scale_up: ScaleUp = ScaleUp()
    scale_down: ScaleDown = ScaleDown()


class HorizontalPodAutoscalerConfig(_Part):
    """What KEDA hands on to the HPA."""

    behavior: Behavior = Behavior()


class ScalingModifiers(_Part):
    """How the triggers' values become one metric."""

    formula: str
    target: Annotated[float, Field(gt=0)]
    activation_target: float = 0
    metric_type: Literal["AverageValue"]


class Advanced(_Part):
    """The part of a spec that is more than triggers and bounds."""

    restore_to_original_replica_count: bool = False
    scaling_modifiers: ScalingModifiers
    horizontal_pod_autoscaler_config: HorizontalPodAutoscalerConfig = (
        HorizontalPodAutoscalerConfig()
    )


class SqsMetadata(_Part):
    """Which queue to count, and what of it."""

    queue_url: Annotated[str, Field(alias="queueURL")]
    queue_length: float = 5
    aws_region: str
    scale_on_in_flight: bool = True
    scale_on_delayed: bool = False


class SqsTrigger(_Part):
    """A queue whose depth is a value of the formula."""

    type: Literal["aws-sqs-queue"]
    name: str
    metadata: SqsMetadata
    authentication_ref: dict[str, str] | None = None

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """The attributes of the queue that add up to its depth."""
        counted = {
            "ApproximateNumberOfMessages": True,
            "ApproximateNumberOfMessagesNotVisible": self.metadata.scale_on_in_flight,
            "ApproximateNumberOfMessagesDelayed": self.metadata.scale_on_delayed,
        }
        return tuple(name for name, is_counted in counted.items() if is_counted)


class CronMetadata(_Part):
    """When to keep how many replicas."""

    timezone: str
    start: str
    end: str
    desired_replicas: Annotated[int, Field(ge=0)]


class CronTrigger(_Part):
    """A schedule: `desired_replicas` from each start to the following end, else 0."""

    type: Literal["cron"]
    name: str
    metadata: CronMetadata

    def value_at(self, moment: datetime) -> float:
        """Return what KEDA counts at a moment."""
        kept = self.metadata
        is_on = is_between(kept.start, kept.end, kept.timezone, moment)
        return float(kept.desired_replicas) if is_on else 0.0


Trigger = Annotated[SqsTrigger | CronTrigger, Field(discriminator="type")]


class Fallback(_Part):
    """How many replicas to have when triggers could not be read too often in a row."""

    failure_threshold: Annotated[int, Field(ge=0)]
    replicas: Annotated[int, Field(ge=0)]
    behavior: Literal[
        "static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"
    ] = "static"

    def replicas_from(self, current: int) -> int:
        """Return the replicas to have where there are `current` ones."""
        match self.behavior:
            case "static":
                return self.replicas
            case "currentReplicas":
                return current
            case "currentReplicasIfHigher":
                return max(current, self.replicas)
            case "currentReplicasIfLower":
                return min(current, self.replicas)


class ScaleTargetRef(_Part):
    """What is scaled."""

    name: str


class ScalingRules(_Part):
    """A ScaledObject's spec, checked, with KEDA's defaults."""

    scale_target_ref: ScaleTargetRef
    polling_interval: Seconds = 30
    cooldown_period: Seconds = 300
    initial_cooldown_period: Seconds = 0
    min_replica_count: Annotated[int, Field(ge=0)] = 0
    max_replica_count: Annotated[int, Field(ge=1)] = 100
    fallback: Fallback | None = None
    advanced: Advanced
    triggers: Annotated[tuple[Trigger, ...], Field(min_length=1)]

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Self:
        """Read a ScaledObject's `spec`.

        Raises:
            SettingsError: it breaks KEDA's rules, or asks for what nobody here follows; the
                text names each key.
        """
        try:
            return cls.model_validate(spec)
        except ValidationError as error:
            wrong = ", ".join(
                f"{'.'.join(map(str, detail['loc'])) or 'spec'} ({detail['msg']})"
                for detail in error.errors()
            )
            raise SettingsError(f"ScaledObject: {wrong}") from error

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.min_replica_count > self.max_replica_count:
            raise ValueError("minReplicaCount is above maxReplicaCount")
        unknown = self.formula.names - {trigger.name for trigger in self.triggers}
        if unknown:
            raise ValueError(f"the formula names no trigger: {', '.join(sorted(unknown))}")
        return self

    @cached_property
    def formula(self) -> Formula:
        """The formula over the triggers' values, by their names."""
        return Formula.parse(self.advanced.scaling_modifiers.formula)

    @property
    def behavior(self) -> Behavior:
        """How the HPA moves."""
        return self.advanced.horizontal_pod_autoscaler_config.behavior
