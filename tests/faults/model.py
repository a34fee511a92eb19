"""Model servers that answer when the simulation says so."""

import asyncio
import json
from dataclasses import dataclass

from penstock.adapters.contents import in_memory
from penstock.contracts.origin import ContainerCall
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.server import Answer, ModelFaultError
from tests.faults.ledger import Ledger
from tests.faults.simulation.turns import SimulatedProcess


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

    async def is_ready(self) -> bool:
        return True

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        content = in_memory(payload.content)
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
