"""The real services of the functions, and the ports of a dispatcher, over a simulated world."""

from collections.abc import Callable

from functions.intake.service import IntakeService
from functions.status.service import StatusService
from functions.sweeper.service import SweeperService
from functions.sweeper.workforce import one_after_another
from functions.webhooks.content import WebhookContent
from functions.webhooks.hosts import Hosts
from functions.webhooks.service import WebhookService
from penstock.cli.dlq.ports import DeadLetterPorts
from penstock.contracts.http.webhook_url import WebhookRules
from runtime_image.dispatcher.wiring import Ports
from tests.faults.world import WEBHOOK_ATTEMPTS, World


def dispatcher_ports(world: World) -> Ports:
    """Return what a dispatcher is wired to."""
    return Ports(
        requests=world.requests,
        queue=world.queue,
        dead_letters=world.dead_letters,
        payloads=world.payloads,
        results=world.results,
        notifier=world.notifier,
        clock=world.clock,
    )


def intake(world: World) -> IntakeService:
    """Return the intake function."""
    return IntakeService(
        catalog=world.catalog,
        requests=world.requests,
        payloads=world.payloads,
        queue_of=lambda _: world.queue,
        clock=world.clock,
    )


def status(world: World) -> StatusService:
    """Return the status function."""
    return StatusService(
        catalog=world.catalog,
        requests=world.requests,
        results=world.results,
        queue_of=lambda _: world.queue,
        inline_result_bytes=0,
        result_url_seconds=60,
    )


def webhooks(world: World) -> WebhookService:
    """Return the webhooks function in a fresh execution environment, which avoids no host yet."""
    return WebhookService(
        requests=world.requests,
        content=WebhookContent(
            results=world.results, max_body_bytes=100_000, result_url_seconds=60
        ),
        secrets=world.secrets,
        sender=world.receiver,
        queue=world.webhooks,
        hosts=Hosts(world.clock),
        rules=WebhookRules(),
        max_attempts=WEBHOOK_ATTEMPTS,
        clock=world.clock,
        jitter=lambda: 0.5,
    )


def sweeper(world: World) -> SweeperService:
    """Return the sweeper function."""
    return SweeperService(
        catalog=world.catalog,
        requests=world.requests,
        results=world.results,
        notifier=world.notifier,
        queue_of=lambda _: world.queue,
        dead_letters_of=lambda _: world.dead_letters,
        clock=world.clock,
        count=lambda _: None,
        workforce=one_after_another,
    )


def dead_letters(world: World, pause: Callable[[float], None]) -> DeadLetterPorts:
    """Return what an operator's commands about dead letters work with."""
    return DeadLetterPorts(
        catalog=world.catalog,
        requests=world.requests,
        payloads=world.payloads,
        results=world.results,
        queue_of=lambda _: world.queue,
        letters_of=lambda _: world.dead_letters,
        pause=pause,
    )
