"""Follows the ScaledObject of one deployment: reads its queues, starts and stops pods."""

import asyncio
import itertools
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from penstock.autoscaling.algorithm import ScalerState, step
from penstock.autoscaling.rules import ScalingRules, SqsTrigger
from penstock.contracts.errors import PenstockError
from penstock.local.emulated_aws import EmulatedAws
from penstock.local.faults import explained
from penstock.local.pods.backoff import Backoff
from penstock.local.pods.events import EventLog
from penstock.local.pods.launcher import Launcher
from penstock.local.pods.pod import Pod
from penstock.local.pods.workload import Workload
from penstock.local.state import DeploymentStatus

_STEP_SECONDS = 1.0
"""A cluster takes 10 s between looks at the queues and 15 s between steps of the HPA."""

_LONGEST_DELAY_SECONDS = 30.0

_WAITING: Final = "ApproximateNumberOfMessages"
_HELD: Final = "ApproximateNumberOfMessagesNotVisible"
_DELAYED: Final = "ApproximateNumberOfMessagesDelayed"

logger = logging.getLogger(__name__)


class DeploymentScaler:
    """The pods of one deployment."""

    def __init__(
        self,
        workload: Workload,
        scaled_object: Mapping[str, Any],
        launcher: Launcher,
        aws: EmulatedAws,
        events: EventLog,
    ) -> None:
        self.workload = workload
        self._rules = ScalingRules.of(scaled_object)
        self._launcher = launcher
        self._aws = aws
        self._events = events
        self._pods: list[Pod] = []
        self._stopping: dict[asyncio.Task[None], Pod] = {}
        self._numbers = itertools.count(1)
        self._waiting = self._held = 0
        self._notes = launcher.notes(workload)
        self._fault: str | None = None

    @property
    def status(self) -> DeploymentStatus:
        """What `penstock local status` shows."""
        return DeploymentStatus(
            name=self.workload.name,
            min_replicas=self._rules.min_replica_count,
            max_replicas=self._rules.max_replica_count,
            wanted_replicas=len(self._pods),
            queue_depth=self._waiting,
            messages_in_flight=self._held,
            pods=tuple(pod.status for pod in (*self._pods, *self._stopping.values())),
            notes=self._notes,
            fault=next(filter(None, (self._fault, *(pod.fault for pod in self._pods))), None),
        )

    async def run(self) -> None:
        """Scale until cancelled; what fails is told, and tried again after a while."""
        state = ScalerState(created_at=time.monotonic())
        backoff = Backoff(_STEP_SECONDS, _LONGEST_DELAY_SECONDS)
        while True:
            try:
                state = await self._step(state)
            except Exception as error:  # noqa: BLE001 - one deployment's fault must not end the others
                self._failed(error)
                await asyncio.sleep(backoff.next_seconds())
                continue
            self._fault = None
            backoff.reset()
            await asyncio.sleep(_STEP_SECONDS)

    async def _step(self, state: ScalerState) -> ScalerState:
        metrics: dict[str, float] | None = None
        try:
            metrics = await asyncio.to_thread(self._measured)
        except (BotoCoreError, ClientError) as error:
            self._events.write("unmeasured", deployment=self.workload.name, error=str(error))
        now, replicas = time.monotonic(), len(self._pods)
        wanted, state = step(self._rules, state, now=now, replicas=replicas, metrics=metrics)
        await self._scale_to(wanted)
        return state

    def _failed(self, error: Exception) -> None:
        fault = explained(error)
        self._events.write("failed", deployment=self.workload.name, error=fault)
        if fault != self._fault:
            trace = None if isinstance(error, PenstockError) else error
            logger.error("deployment %s: %s", self.workload.name, fault, exc_info=trace)
        self._fault = fault

    async def stop(self, grace_seconds: float) -> None:
        """End all pods, those that drain as well."""
        draining = list(self._stopping)
        pods = [*self._pods, *self._stopping.values()]
        self._pods = []
        stopping = [pod.stop(grace_seconds) for pod in pods]
        # One that cannot be stopped must not keep the others from it.
        await asyncio.gather(*stopping, *draining, return_exceptions=True)

    async def _scale_to(self, replicas: int) -> None:
        if replicas != len(self._pods):
            self._events.write(
                "scaled", deployment=self.workload.name, before=len(self._pods), after=replicas
            )
        while len(self._pods) < replicas:
            await self._add_pod()
        while len(self._pods) > replicas:
            newest = self._pods.pop()
            task = asyncio.create_task(newest.stop())
            self._stopping[task] = newest
            task.add_done_callback(self._stopping.pop)

    async def _add_pod(self) -> None:
        name = f"{self.workload.name}-{next(self._numbers)}"
        pod = Pod(name, self.workload, self._launcher, self._events)
        self._pods.append(pod)
        try:
            await pod.start()
        except Exception:
            self._pods.remove(pod)
            await pod.stop(0)
            raise

    def _measured(self) -> dict[str, float]:
        metrics = {}
        waiting = held = 0
        for trigger in self._rules.triggers:
            if isinstance(trigger, SqsTrigger):
                found = self._depth(trigger.metadata.queue_url)
                waiting += found[_WAITING]
                held += found[_HELD]
                metrics[trigger.name] = float(sum(found[n] for n in trigger.attribute_names))
            else:
                metrics[trigger.name] = trigger.value_at(datetime.now(UTC))
        self._waiting, self._held = waiting, held
        return metrics

    def _depth(self, queue_url: str) -> dict[str, int]:
        answer = self._aws.sqs.get_queue_attributes(
            QueueUrl=queue_url, AttributeNames=[_WAITING, _HELD, _DELAYED]
        )
        return {name: int(answer["Attributes"][name]) for name in (_WAITING, _HELD, _DELAYED)}
