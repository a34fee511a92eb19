"""Calls of containers over the ports of a world."""

from functions.container_answers import ContainerAnswers
from functions.intake.datacrunch import ContainerCalls
from functions.intake.service import IntakeService
from functions.waiting import Waiting
from tests.unit.functions.world import World


def container_calls(
    world: World, service: IntakeService, waiting: Waiting | None = None
) -> ContainerCalls:
    """Return what serves them; results of more than 100 bytes are answered by a redirect."""
    return ContainerCalls(
        service=service,
        waiting=waiting or Waiting(requests=world.requests),
        answers=ContainerAnswers(results=world.results, inline_bytes=100, url_seconds=900),
        max_payload_bytes=1_000,
        wait_seconds=25,
        count=world.count,
    )
