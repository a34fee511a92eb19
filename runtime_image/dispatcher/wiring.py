"""Builds a dispatcher process from its environment."""

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

from penstock.adapters.aws.aws_clock import AwsClock
from penstock.adapters.aws.clients import client
from penstock.adapters.aws.dead_letters import SqsDeadLetterQueue
from penstock.adapters.aws.notifier import SnsNotifier
from penstock.adapters.aws.objects import S3PayloadStore, S3ResultStore
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.ports.clock import Clock, utc_now
from penstock.contracts.ports.dead_letters import DeadLetterQueue
from penstock.contracts.ports.notifications import Notifier
from penstock.contracts.ports.objects import PayloadStore, ResultStore
from penstock.contracts.ports.requests import RequestQueue, RequestStore
from penstock.protocol.announcing import Announcing
from penstock.protocol.request_protocol import RequestProtocol
from runtime_image.dispatcher.batching.batching import Batching
from runtime_image.dispatcher.callers_inputs import CallersInputs
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.model_calls import ModelCalls
from runtime_image.dispatcher.model_server.http_server import model_server_of
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.model_server.restarts import Restarts
from runtime_image.dispatcher.model_server.server import ModelServer
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.observability.probes import serve_probes
from runtime_image.dispatcher.observability.tracing import NO_TRACING, Tracing, tracing_of
from runtime_image.dispatcher.persistence import CallersPlaces
from runtime_image.dispatcher.process import Drain, Process
from runtime_image.dispatcher.scheduling.gate import Gate
from runtime_image.dispatcher.scheduling.holding import Heartbeats, heartbeat_timeout_seconds
from runtime_image.dispatcher.scheduling.lanes import Lanes
from runtime_image.dispatcher.settling import Settling
from runtime_image.dispatcher.spot_notice import watch_spot_notice
from runtime_image.dispatcher.worker import Worker

_MOST_SHORT_CALLS = 8
"""With more calls to AWS at once a request costs a third more CPU, and fewer end in a second, even
where each call takes as long as in AWS (docs/performance.md).
"""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The outside of a dispatcher."""

    requests: RequestStore
    queue: RequestQueue
    dead_letters: DeadLetterQueue
    payloads: PayloadStore
    results: ResultStore
    notifier: Notifier
    heartbeat_requests: RequestStore | None = None
    """The same table for renewals, which are worth nothing when they are late."""

    heartbeat_queue: RequestQueue | None = None
    clock: Clock = utc_now
    tracing: Tracing = NO_TRACING


def aws_ports(environment: DispatcherEnvironment, clock: AwsClock | None = None) -> Ports:
    """Return the ports over AWS, by whose time `clock` is corrected."""
    clock = clock or AwsClock()
    table, queue_urls = environment.requests_table, environment.queue_urls
    dynamodb, sqs, s3 = client("dynamodb"), client("sqs"), client("s3")
    prompt_seconds = heartbeat_timeout_seconds(environment.lease_seconds)
    prompt_dynamodb = client("dynamodb", prompt_seconds=prompt_seconds)
    prompt_sqs = client("sqs", prompt_seconds=prompt_seconds)
    for listened_to in (dynamodb, sqs, prompt_dynamodb, prompt_sqs):
        clock.listen_to(listened_to)
    return Ports(
        requests=DynamoRequestStore(table, dynamodb, clock),
        queue=SqsRequestQueue(queue_urls, sqs, clock),
        dead_letters=SqsDeadLetterQueue(environment.dead_letter_queue_url, sqs),
        payloads=S3PayloadStore(environment.payloads_bucket, s3),
        results=S3ResultStore(environment.results_bucket, s3),
        notifier=SnsNotifier(environment.succeeded_topic, environment.failed_topic, client("sns")),
        heartbeat_requests=DynamoRequestStore(table, prompt_dynamodb, clock),
        heartbeat_queue=SqsRequestQueue(queue_urls, prompt_sqs, clock),
        clock=clock,
        tracing=tracing_of(),
    )


def wire(
    environment: DispatcherEnvironment,
    ports: Ports,
    model_server: ModelServer,
    drain: Drain,
    metrics: Metrics,
) -> Process:
    """Put a process together; nothing runs yet."""
    protocol = _protocol(environment, ports)
    slots = environment.concurrency_target
    readiness = Readiness(model_server)
    restarts = None
    if environment.restart_after_stop:
        model_server = restarts = Restarts(model_server, readiness, slots)
    batching = _batching(environment, model_server, metrics)
    gate = _gate(environment, batching, restarts)
    threads = Threads("aws", min(32, 4 + 2 * slots), short=min(_MOST_SHORT_CALLS, 3 + slots))
    callers_places = CallersPlaces(gate, Threads("places", 16))
    heartbeats = _heartbeats(environment, ports, protocol)
    worker = Worker(
        protocol=protocol,
        settling=_settling(ports, threads, callers_places, lambda: len(heartbeats.held)),
        heartbeats=heartbeats,
        gate=gate,
        model_calls=_model_calls(environment, ports, model_server, readiness, metrics, batching),
        metrics=metrics,
        threads=threads,
        callers_places=callers_places,
        callers_inputs=CallersInputs(gate, Threads("inputs", 16)),
        tracing=ports.tracing,
    )
    lanes = Lanes(ports.queue, gate, lease_seconds=environment.lease_seconds, readiness=readiness)
    return Process(worker, lanes, heartbeats, readiness, drain)


def _protocol(environment: DispatcherEnvironment, ports: Ports) -> RequestProtocol:
    return RequestProtocol(
        requests=ports.requests,
        payloads=ports.payloads,
        results=ports.results,
        clock=ports.clock,
        worker=f"{socket.gethostname()}/{os.getpid()}",
        lease_seconds=environment.lease_seconds,
        max_input_bytes=environment.max_input_bytes,
    )


def _model_calls(  # noqa: PLR0913, PLR0917 - what is wired before it
    environment: DispatcherEnvironment,
    ports: Ports,
    model_server: ModelServer,
    readiness: Readiness,
    metrics: Metrics,
    batching: Batching | None,
) -> ModelCalls:
    return ModelCalls(
        model_server=model_server,
        readiness=readiness,
        metrics=metrics,
        clock=ports.clock,
        predict_timeout_seconds=environment.predict_timeout_seconds,
        batching=batching,
    )


def _heartbeats(
    environment: DispatcherEnvironment, ports: Ports, protocol: RequestProtocol
) -> Heartbeats:
    return Heartbeats(
        replace(protocol, requests=ports.heartbeat_requests or ports.requests),
        ports.heartbeat_queue or ports.queue,
        environment.lease_seconds,
    )


def _settling(
    ports: Ports, threads: Threads, callers_places: CallersPlaces, in_hand: Callable[[], int]
) -> Settling:
    return Settling(
        queue=ports.queue,
        dead_letters=ports.dead_letters,
        requests=ports.requests,
        announcing=Announcing(results=ports.results, notifier=ports.notifier),
        threads=threads,
        callers_places=callers_places,
        in_hand=in_hand,
    )


def _gate(
    environment: DispatcherEnvironment, batching: Batching | None, restarts: Restarts | None
) -> Gate:
    gate = Gate(
        environment.concurrency_target,
        environment.hold_budget_seconds,
        low_priority_share=environment.low_priority_share,
        under_way_below=batching.under_way_below if batching else None,
        withheld=restarts.withheld if restarts else lambda: 0,
    )
    if restarts is not None:
        restarts.call_when_changed(gate.look_again)
    if batching is not None:
        batching.call_when_landed(gate.look_again)
    return gate


def _batching(
    environment: DispatcherEnvironment, model_server: ModelServer, metrics: Metrics
) -> Batching | None:
    size = environment.max_batch_size
    if size == 1:
        return None
    return Batching(
        model_server,
        size=size,
        wait_seconds=environment.max_batch_wait_ms / 1_000,
        # One batch's worth of slots is for the requests that gather while others are on their way.
        flights=max(1, environment.concurrency_target // size - 1),
        observe_size=metrics.batch_size.observe,
    )


async def run(environment: DispatcherEnvironment, drain: Drain) -> None:
    """Run the dispatcher against AWS until a drain is requested, and drain it."""
    metrics = Metrics(environment.model_id, environment.deployment_id)
    clock = AwsClock()
    metrics.clock_behind.set_function(lambda: clock.seconds_behind)
    ports = aws_ports(environment, clock)
    async with model_server_of(environment, ports.tracing.traceparent) as model_server:
        process = wire(environment, ports, model_server, drain, metrics)
        readiness = process.readiness
        probes = await serve_probes(
            environment.port,
            metrics.registry,
            is_ready=lambda: readiness.is_ready and not drain.requested.is_set(),
            is_model_server_alive=lambda: not readiness.must_restart,
        )
        watch = None
        if environment.watch_spot_notice:
            watch = asyncio.create_task(watch_spot_notice(drain.request))
        try:
            await process.run()
        finally:
            if watch is not None:
                watch.cancel()
            await probes.cleanup()
            ports.tracing.close()
