"""A deployment of no-op pods that KEDA scales by our own ScaledObject."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.autoscaling.scaled_object import scaled_object
from penstock.autoscaling.settings import AutoscalingSettings
from tests.engines.keda.queues import Queues
from tests.engines.kubernetes.api import Api, Manifest
from tests.engines.processes import eventually

NAMESPACE = "facts"
AUTHENTICATION = "penstock-aws"
_HOLD_SECONDS = 6.0
"""Several polls of KEDA and several steps of the HPA, which takes one each second here."""


@dataclass
class Workload:
    """One deployment with its three queues."""

    api: Api
    queues: Queues
    name: str
    polling_seconds: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    change: Callable[[dict[str, Any]], None] = lambda spec: None
    """What a test wants otherwise in the ScaledObject's spec."""

    def apply(self) -> None:
        """Make the deployment, and its ScaledObject as it is now."""
        self.api.apply(self._deployment(), force=True)
        self.api.apply(self.scaled())

    def taken(self) -> "Workload":
        """Wait until KEDA looks after it."""
        eventually(self.is_taken, 60, f"KEDA to take {self.name}")
        return self

    def lane(self, priority: int) -> str:
        """Return the name of a queue."""
        return f"{self.name}-p{priority}"

    def fail(self, *priorities: int) -> None:
        """Let queues refuse every question from now on: all, unless some are named."""
        self.queues.failing |= {self.lane(priority) for priority in priorities or range(3)}

    def recover(self) -> None:
        """Let all queues answer again."""
        self.queues.failing -= {self.lane(priority) for priority in range(3)}

    def send(self, count: int, priority: int = 0) -> None:
        """Let so many messages wait in a queue."""
        self.queues.visible[self.lane(priority)] = count

    @property
    def replicas(self) -> int:
        """How many replicas the deployment is to have."""
        return int(self.api.get(self._reference())["spec"]["replicas"])

    def reaches(self, wanted: int, seconds: float = 60) -> None:
        """Wait for so many replicas, and look whether it stays with them for a while."""
        eventually(lambda: self.replicas == wanted, seconds, f"{wanted} replicas of {self.name}")
        self.stays(wanted)

    def stays(self, wanted: int, seconds: float = _HOLD_SECONDS) -> None:
        """Look for a while whether the replicas remain as they are."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.replicas == wanted
            time.sleep(0.2)

    def sequence(self, last: int, seconds: float = 60) -> list[int]:
        """Return the numbers of replicas that it passes through until `last`."""
        seen = [self.replicas]

        def arrived() -> bool:
            now = self.replicas
            if now != seen[-1]:
                seen.append(now)
            return now == last

        eventually(arrived, seconds, f"{last} replicas of {self.name}")
        return seen

    def annotate(self, **annotations: str | None) -> None:
        """Set KEDA's annotations; `_` stands for `-`."""
        named = {
            f"autoscaling.keda.sh/{key.replace('_', '-')}": text
            for key, text in annotations.items()
        }
        self.api.merge(self.scaled(), {"metadata": {"annotations": named}})

    def condition(self, kind: str) -> str | None:
        """Return the status of a condition of the ScaledObject."""
        conditions = self.api.get(self.scaled()).get("status", {}).get("conditions", ())
        return next((c["status"] for c in conditions if c["type"] == kind), None)

    def scaled(self) -> dict[str, Any]:
        """Return the ScaledObject as the stack makes it, but for what the laptop needs."""
        spec = scaled_object(
            AutoscalingSettings(**{"max_replica": 40, "scale_down_delay": 5, **self.settings}),
            target=self.name,
            queue_urls=(
                self.queues.address(self.lane(0)),
                self.queues.address(self.lane(1)),
                self.queues.address(self.lane(2)),
            ),
            region="eu-west-1",
            authentication=AUTHENTICATION,
        )
        spec["pollingInterval"] = self.polling_seconds
        for trigger in spec["triggers"]:
            if trigger["type"] == "aws-sqs-queue":
                trigger["metadata"]["awsEndpoint"] = self.queues.url
        self.change(spec)
        return {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": {"name": self.name, "namespace": NAMESPACE},
            "spec": spec,
        }

    def remove(self) -> None:
        """Delete both."""
        self.recover()
        self.api.delete(self.scaled())
        self.api.delete(self._reference())

    def is_taken(self) -> bool:
        """Tell whether KEDA looks after it."""
        return self.condition("Ready") == "True"

    def _reference(self) -> Manifest:
        metadata = {"name": self.name, "namespace": NAMESPACE}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}

    def _deployment(self) -> Manifest:
        labels = {"app": self.name}
        pod = {
            "containers": [{"name": "pause", "image": "registry.k8s.io/pause:3.10"}],
            "terminationGracePeriodSeconds": 0,
        }
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        return {**self._reference(), "spec": spec}


Start = Callable[..., Workload]
"""Makes a workload by the fields above."""
