"""Unmodified boto3 clients in front of the intake, whose world is in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from functions.intake.routes import create_app
from functions.intake.service import IntakeService
from penstock.adapters.in_memory import FakeClock, InMemoryCatalog
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.message import QueueMessage
from tests.aws_variables import set_aws_variables
from tests.integration.sagemaker.bridge import Bridge, bridged
from tests.unit.functions.containers import container_calls
from tests.unit.functions.intake.invocations import AccessKeys, invocations
from tests.unit.functions.world import World

INPUT_BUCKET = "inputs"


@dataclass
class Platform:
    """What clients meet, and what becomes of their calls."""

    world: World
    keys: AccessKeys
    bridge: Bridge
    pair: tuple[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.pair = self.keys.issue()

    def client(
        self,
        access_key_id: str | None = None,
        secret: str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
        **config: Any,
    ) -> Any:
        """Return a client as anybody makes it."""
        return boto3.client(
            "sagemaker-runtime",
            region_name="us-east-1",
            endpoint_url=url or self.bridge.url,
            aws_access_key_id=access_key_id or self.pair[0],
            aws_secret_access_key=secret or self.pair[1],
            aws_session_token=token,
            config=Config(**config),
        )

    @property
    def waiting(self) -> list[QueueMessage]:
        """Everything that was queued for `ocr-1`."""
        return self.world.waiting()


def _with_inputs(world: World) -> InMemoryCatalog:
    (model,) = world.catalog.all_models()
    deployments = {
        name: deployment.model_copy(update={"input_buckets": (INPUT_BUCKET,)})
        for name, deployment in model.deployments.items()
    }
    return InMemoryCatalog([model.model_copy(update={"deployments": deployments})])


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    set_aws_variables(monkeypatch)
    # botocore pauses before it repeats a call.
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    # The clients sign by the machine's time.
    world = World(clock=FakeClock(datetime.now(UTC)))
    service = IntakeService(
        catalog=_with_inputs(world),
        requests=world.requests,
        payloads=world.payloads,
        queue_of=world.queue_of,
        clock=world.clock,
    )
    keys = AccessKeys(world)
    app = create_app(
        service,
        container_calls(world, service),
        invocations(world, service, keys),
        max_payload_bytes=262_144,
        webhook_rules=WebhookRules(),
        count=world.count,
    )
    with bridged(app) as bridge:
        yield Platform(world, keys, bridge)
