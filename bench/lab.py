"""What every measurement needs: a running emulator, and programs to measure over it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import BaseModel

from bench.backends.emulator import EmulatedStack
from bench.backends.requests import waiting_requests
from bench.figures import Backend
from bench.processes.bare_loop import BareLoopSettings
from bench.processes.dispatcher import DispatcherSettings
from bench.processes.model_server import ModelServerSettings
from bench.processes.starting import measure, running
from bench.rounds import Sample

_WARM_UP_SHARE = 0.15
_HANDS_FULL = 300
"""After so many short requests a worker has as much in hand as it will."""

_FETCHED_AHEAD = 300
_NO_AWS = {"AWS_REGION": "eu-central-1"}


@dataclass(frozen=True)
class Lab:
    """Where a run measures."""

    stack: EmulatedStack
    is_quick: bool
    notes: list[str] = field(default_factory=list)
    """What was left out, and why."""

    @property
    def rounds(self) -> int:
        """How often ours and the floor take turns."""
        return 1 if self.is_quick else 3

    def many(self, full: int, quick: int) -> int:
        """Return how many requests to measure with."""
        return quick if self.is_quick else full

    @contextmanager
    def model_server(self, slots: int, service_seconds: float = 0.0) -> Iterator[str]:
        """Run a model server while the block runs; yield its URL."""
        settings = ModelServerSettings(slots=slots, service_seconds=service_seconds)
        with running("bench.processes.model_server", settings, {}) as url:
            yield url

    def with_warm_up(self, requests: int) -> int:
        """Return how many requests a dispatcher works on to measure with so many."""
        few = round(requests * _WARM_UP_SHARE)
        return requests + (few if requests < _HANDS_FULL else _HANDS_FULL)

    def dispatch(
        self,
        backend: Backend,
        requests: int,
        url: str,
        *,
        slots: int = 1,
        queued: int = 0,
        **settings: object,
    ) -> Sample:
        """Run a dispatcher over fresh queues; an empty `url` is a model without HTTP.

        Its environment may be told more.
        """
        needed = self.with_warm_up(requests)
        # When the last one counts, as much is in hand as when the first one did.
        queued = max(queued, needed + _FETCHED_AHEAD)
        program = DispatcherSettings(
            requests=needed,
            warm_up=needed - requests,
            in_process=queued if backend is Backend.IN_PROCESS else 0,
            has_model_server=bool(url),
        )
        told: dict[str, object] = {"concurrency_target": slots, **settings}
        with self._queues(backend, queued, needed, url, **told) as environment:
            return self._measured("bench.processes.dispatcher", program, environment, needed)

    def bare_loop(self, backend: Backend, requests: int, queued: int = 0, slots: int = 1) -> Sample:
        """Run the floor of a dispatcher over fresh queues."""
        settings = BareLoopSettings(
            requests=requests,
            in_process=backend is Backend.IN_PROCESS,
            threads=1 if backend is Backend.IN_PROCESS else min(slots, 4),
        )
        spare = 10 * (settings.threads + 1)
        queued = max(queued, requests + spare)
        with self._queues(backend, queued, requests + spare, "") as environment:
            return self._measured("bench.processes.bare_loop", settings, environment, requests)

    def dispatcher_environment(
        self, queues: tuple[str, str, str], **settings: object
    ) -> dict[str, str]:
        """Return the environment of a dispatcher process."""
        preset = {"model_server_preset": "http"}
        variables = self.stack.dispatcher_variables(queues, **preset, **settings)
        text = {name: str(value) for name, value in variables.items()}
        return {**_NO_AWS, **self.stack.variables, **text}

    def _measured(
        self, module: str, program: BaseModel, environment: Mapping[str, str], requests: int
    ) -> Sample:
        before = self.stack.cpu_seconds()
        sample = measure(module, program, environment)
        spent_ms = (self.stack.cpu_seconds() - before) * 1_000
        return {**sample, "emulator_ms": spent_ms / requests}

    @contextmanager
    def _queues(
        self, backend: Backend, queued: int, needed: int, url: str, **settings: object
    ) -> Iterator[Mapping[str, str]]:
        queues = ("p0", "p1", "p2")
        waiting = []
        if backend is Backend.EMULATOR:
            queues = self.stack.new_queues()
            waiting = list(waiting_requests(queued))
            # Priority 0 is a third of them and comes first; what is not reached needs no row.
            self.stack.feed(queues, waiting, rows=3 * needed + _FETCHED_AHEAD)
        if url:
            settings["model_server_url"] = url
        yield self.dispatcher_environment(queues, **settings)
        if backend is Backend.EMULATOR:
            self.stack.clear(queues, waiting[: 3 * needed + _FETCHED_AHEAD])


def per_request_ms(sample: Sample) -> float:
    """Return the CPU time of one request."""
    return sample["cpu_seconds"] / sample["requests"] * 1_000


def per_second(sample: Sample) -> float:
    """Return how many requests ended in a second."""
    return sample["requests"] / sample["seconds"]
