"""Model servers that answer when the simulation says so."""

import asyncio
import json
from dataclasses import dataclass

from penstock.adapters.contents import in_memory
from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.server import Answer, ModelBusyError, ModelFaultError
from tests.faults.ledger import Ledger
from tests.faults.simulation.turns import SimulatedProcess

_RESTART_SECONDS = 2.0


@dataclass(eq=False)
class ModelCall:
    """A request that a model server works on until the simulation answers it."""

    worker: SimulatedProcess
    request_id: RequestId
    began: float
    """On the simulation's clock."""

    answer: asyncio.Future[Answer]


@dataclass
class SimulatedModel:
    """The model server of one worker."""

    worker: SimulatedProcess
    ledger: Ledger
    calls: list[ModelCall]
    """Of all workers; each adds and removes its own."""

    slots: int
    is_restarted: bool
    """Whether it works on with a call that was closed, until it is restarted."""

    _running: int = 0
    _closed: int = 0
    _down_until: float = 0

    async def is_ready(self) -> bool:
        return not self.is_down

    @property
    def is_down(self) -> bool:
        return self.worker.simulation.time() < self._down_until

    def restart(self) -> None:
        """End at once, and be up again in a moment."""
        self._down_until = self.worker.simulation.time() + _RESTART_SECONDS
        self._closed = 0
        for call in [each for each in self.calls if each.worker is self.worker]:
            self.ledger.interrupted(call.request_id)
            lost = ModelFaultError(FaultCode.MODEL_UNAVAILABLE, "the connection was lost")
            call.answer.set_exception(lost)

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        content = in_memory(payload.content)
        if self.is_down:
            raise ModelBusyError("the model server does not listen")
        has_room = self._running + self._closed < self.slots or not self.is_restarted
        self.ledger.check(has_room, request_id, "ran in the slot of a call that was closed")
        self._running += 1
        try:
            return await self._run(request_id, content)
        except asyncio.CancelledError:
            self._closed += self.is_restarted
            raise
        finally:
            self._running -= 1

    async def _run(self, request_id: RequestId, content: bytes) -> Answer:
        ids = request_id.split(",")
        inputs = [content]
        if len(ids) > 1:
            inputs = [json.dumps(value).encode() for value in json.loads(content)]
        running = [self._begin(RequestId(id_), own) for id_, own in zip(ids, inputs, strict=True)]
        try:
            if len(running) == 1:
                return await running[0].answer
            outputs = await asyncio.gather(*map(_output, running))
            return Answer(b"[%s]" % b",".join(outputs), "application/json")
        finally:
            for each in running:
                if each in self.calls:
                    self.calls.remove(each)

    def _begin(self, request_id: RequestId, content: bytes) -> ModelCall:
        self.ledger.ran(self.worker.name, request_id, content)
        answer: asyncio.Future[Answer] = self.worker.loop.create_future()
        call = ModelCall(self.worker, request_id, self.worker.simulation.time(), answer)
        self.calls.append(call)
        return call


async def _output(call: ModelCall) -> bytes:
    """Return what stands for one request in the answer to a batch; raise what ends it for all."""
    try:
        answer = await call.answer
    except ModelFaultError as failure:
        if failure.answer is None:
            raise
        return json.dumps({"error": "boom", "status": failure.answer.http_status}).encode()
    return in_memory(answer.body)
