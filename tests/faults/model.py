"""Model servers that answer when the simulation says so."""

import asyncio
from dataclasses import dataclass

from penstock.adapters.contents import in_memory
from penstock.contracts.origin import ContainerCall
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.server import Answer
from tests.faults.ledger import Ledger
from tests.faults.simulation.turns import SimulatedProcess


@dataclass(eq=False)
class ModelCall:
    """A call that a model server works on until the simulation answers it."""

    worker: SimulatedProcess
    request_id: RequestId
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
        self.ledger.ran(self.worker.name, request_id, in_memory(payload.content))
        answer: asyncio.Future[Answer] = self.worker.loop.create_future()
        running = ModelCall(self.worker, request_id, answer)
        self.calls.append(running)
        try:
            return await answer
        finally:
            if running in self.calls:
                self.calls.remove(running)
