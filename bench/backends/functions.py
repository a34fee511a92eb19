"""The intake function over memory: its routes and services, wired as its handler wires them."""

from bench.backends.in_process import InProcess
from bench.backends.requests import models
from functions.container_answers import ContainerAnswers
from functions.http_api import HttpApi
from functions.identification import Identification
from functions.intake.datacrunch import ContainerCalls
from functions.intake.routes import create_app
from functions.intake.sagemaker import Invocations
from functions.intake.service import IntakeService
from functions.waiting import Waiting
from penstock.adapters.in_memory import InMemoryApiKeyStore, InMemoryCatalog
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.observability.metric_names import FunctionMetric
from penstock.contracts.ports.clock import utc_now

_MAX_PAYLOAD_BYTES = 262_144


def intake_in_process(world: InProcess, deployments: int = 1) -> HttpApi:
    """Return the intake of a stack with so many deployments, all of whose queues are one."""
    service = IntakeService(
        catalog=InMemoryCatalog(models([("p0", "p1", "p2")] * deployments)),
        requests=world.requests,
        payloads=world.payloads,
        queue_of=lambda _: world.queue,
        clock=utc_now,
    )
    return create_app(
        service,
        _container_calls(world, service),
        _invocations(service),
        max_payload_bytes=_MAX_PAYLOAD_BYTES,
        webhook_rules=WebhookRules(allow_local=True),
        count=_do_not_count,
    )


def _container_calls(world: InProcess, service: IntakeService) -> ContainerCalls:
    return ContainerCalls(
        service=service,
        waiting=Waiting(requests=world.requests),
        answers=ContainerAnswers(results=world.results, inline_bytes=0, url_seconds=60),
        max_payload_bytes=_MAX_PAYLOAD_BYTES,
        wait_seconds=0,
        count=_do_not_count,
    )


def _invocations(service: IntakeService) -> Invocations:
    return Invocations(
        service=service,
        identification=Identification(
            keys=InMemoryApiKeyStore(), master_secret=lambda: b"", clock=utc_now
        ),
        results_bucket="results",
        count=_do_not_count,
    )


def _do_not_count(_name: FunctionMetric) -> None:
    """Count nothing: API Gateway's metrics are not ours to measure."""
