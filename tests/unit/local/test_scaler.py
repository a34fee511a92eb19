"""The local scaler follows whatever the ScaledObject says."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import EndpointConnectionError

from penstock.autoscaling.scaled_object import scaled_object
from penstock.autoscaling.settings import AutoscalingSettings
from penstock.local.pods.events import EventLog
from penstock.local.pods.scaler import DeploymentScaler
from penstock.local.pods.workload import Workload

if TYPE_CHECKING:
    from penstock.local.emulated_aws import EmulatedAws
    from penstock.local.pods.launcher import Launcher

ALWAYS_ON = {
    "timezone": "Europe/London",
    "start": "0 0 29 2 *",  # an end always comes before the next start
    "end": "* * * * *",
    "desired_replicas": 1,
}
EMPTY = {"spec": {"template": {"spec": {"containers": []}}}, "metadata": {"name": "echo-v1"}}
"""Pods without processes: it is their number that counts."""


def scaler(
    folder: Path, waiting: Callable[[], int], **settings: Any
) -> tuple[DeploymentScaler, EventLog]:
    def get_queue_attributes(**_: Any) -> dict[str, Any]:
        names = ("", "NotVisible", "Delayed")
        depth = {f"ApproximateNumberOfMessages{name}": "0" for name in names}
        return {"Attributes": {**depth, "ApproximateNumberOfMessages": str(waiting())}}

    spec = scaled_object(
        AutoscalingSettings.model_validate(settings),
        target="echo-v1",
        queue_urls=("p0", "p1", "p2"),
        region="eu-west-1",
        authentication="aws",
    )
    sqs = SimpleNamespace(get_queue_attributes=get_queue_attributes)
    events = EventLog(folder / "events.jsonl")
    follower = DeploymentScaler(
        Workload.of(EMPTY),
        spec,
        cast("Launcher", SimpleNamespace(notes=lambda _: (), state=SimpleNamespace(path=folder))),
        cast("EmulatedAws", SimpleNamespace(sqs=sqs)),
        events,
    )
    return follower, events


async def reached(follower: DeploymentScaler, replicas: int) -> None:
    async with asyncio.timeout(20):
        while follower.status.wanted_replicas != replicas:
            await asyncio.sleep(0.01)


async def test_a_schedule_that_is_on_keeps_its_replicas(tmp_path: Path) -> None:
    follower, events = scaler(tmp_path, lambda: 0, schedules=[ALWAYS_ON])
    running = asyncio.create_task(follower.run())

    await reached(follower, 1)

    running.cancel()
    await follower.stop(0)
    events.close()
    assert follower.status.notes == ()


async def test_queues_that_cannot_be_read_take_no_replica(tmp_path: Path) -> None:
    looks = iter([1, 1, 1])  # one at each of the three lanes, and then nothing answers

    def waiting() -> int:
        try:
            return next(looks)
        except StopIteration:
            raise EndpointConnectionError(endpoint_url="emulator") from None

    follower, events = scaler(tmp_path, waiting, scale_down_delay=0)
    running = asyncio.create_task(follower.run())

    await reached(follower, 1)
    async with asyncio.timeout(20):
        while "unmeasured" not in (tmp_path / "events.jsonl").read_text():
            await asyncio.sleep(0.01)

    assert follower.status.wanted_replicas == 1
    running.cancel()
    await follower.stop(0)
    events.close()
