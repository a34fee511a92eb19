"""(e) How long requests of priority 0 wait behind 500 of priority 2."""

import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from bench.backends.requests import Waiting, waiting_requests
from bench.figures import Backend, Figure, Goal
from bench.lab import Lab
from bench.processes.dispatcher import DispatcherSettings
from bench.processes.model_server import Busy
from bench.processes.starting import measure as run

_SERVICE_SECONDS = 0.1
_BEHIND = 500
_BETWEEN_SECONDS = 0.37  # no multiple of the service time
_PROBE_SECONDS = 0.02


def measure(lab: Lab) -> list[Figure]:
    """Measure from before the message is sent until the model starts; the longest wait counts.

    The floor is one service time and the longest that a bare long poll takes to bring a message.
    """
    urgent = list(waiting_requests(lab.many(20, 8), priority=0))
    queues = lab.stack.new_queues()
    behind = list(waiting_requests(_BEHIND, priority=2))
    lab.stack.feed(queues, behind)
    sent: dict[str, float] = {}
    with lab.model_server(1, _SERVICE_SECONDS) as url:
        environment = lab.dispatcher_environment(queues, model_server_url=url)
        enough = round(len(urgent) * _BETWEEN_SECONDS / _SERVICE_SECONDS) + len(urgent)
        run(
            "bench.processes.dispatcher",
            DispatcherSettings(requests=enough),
            environment,
            during=lambda: _send(lab, queues, urgent, url, sent),
        )
        busy = _read_busy(url)
    lab.stack.clear(queues, [*behind, *urgent])
    waits = [started - sent[name] for name, started, _ in busy.starts if name in sent]
    return [
        Figure(
            section="priority",
            name=f"longest wait of {len(waits)} requests of priority 0",
            unit="ms",
            backend=Backend.EMULATOR,
            ours=max(waits) * 1_000,
            floor=(_SERVICE_SECONDS + max(receive_seconds(lab))) * 1_000,
            goal=Goal(at_most=1, of_ratio=True),
        )
    ]


def receive_seconds(lab: Lab) -> list[float]:
    """Return how long a message takes to a receive that waits for it, without us."""
    sqs, queue = lab.stack.aws.sqs, lab.stack.new_queues()[0]
    taken = []
    with ThreadPoolExecutor(1) as threads:
        for number in range(lab.many(20, 8)):
            polling = threads.submit(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=2)
            time.sleep(_BETWEEN_SECONDS / (number + 2))  # at any moment of the emulator's own
            sent = time.monotonic()
            sqs.send_message(QueueUrl=queue, MessageBody="one")
            (message,) = polling.result()["Messages"]
            taken.append(time.monotonic() - sent)
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return taken


def _send(
    lab: Lab,
    queues: tuple[str, str, str],
    urgent: list[Waiting],
    url: str,
    sent: dict[str, float],
) -> None:
    while not _read_busy(url).starts:
        time.sleep(_PROBE_SECONDS)
    for request in urgent:
        lab.stack.put_rows([request])
        sent[request.row.request_id] = time.monotonic()
        lab.stack.send(queues, [request])
        time.sleep(_BETWEEN_SECONDS)


def _read_busy(url: str) -> Busy:
    with urllib.request.urlopen(f"{url}/busy") as answer:  # noqa: S310 - our own server
        return Busy.model_validate_json(answer.read())
