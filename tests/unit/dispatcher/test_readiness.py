import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from penstock.contracts.origin import ContainerCall
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.model_server.server import Answer, ModelBusyError


class Server:
    """Answers, is down, or hangs."""

    def __init__(self) -> None:
        self.is_up = True
        self.hangs = False
        self.says_no = False
        self.looks = 0

    async def is_ready(self) -> bool:
        self.looks += 1
        if self.says_no:
            raise ModelBusyError("it says that it is not ready")
        if self.hangs:
            raise TimeoutError
        return self.is_up

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        raise AssertionError("nobody predicts here")


@asynccontextmanager
async def watching(server: Server) -> AsyncIterator[Readiness]:
    readiness = Readiness(server)
    watch = asyncio.create_task(readiness.watch())
    async with asyncio.timeout(10):
        await readiness.wait()
        yield readiness
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch


async def looked_again(server: Server) -> None:
    seen = server.looks
    while server.looks < seen + 2:
        await asyncio.sleep(0.01)


async def test_a_server_that_hangs_is_still_to_be_restarted() -> None:
    server = Server()
    async with watching(server) as readiness:
        server.hangs = True
        readiness.ask_restart()
        await looked_again(server)
        assert readiness.must_restart
        assert not readiness.is_ready


async def test_a_server_that_says_it_is_not_ready_was_not_seen_down() -> None:
    server = Server()
    async with watching(server) as readiness:
        server.says_no = True
        readiness.ask_restart()
        await looked_again(server)
        assert readiness.must_restart
        server.says_no = False
        await looked_again(server)
        assert not readiness.is_ready


async def test_a_server_that_was_seen_down_is_restarted() -> None:
    server = Server()
    async with watching(server) as readiness:
        server.is_up = False
        readiness.ask_restart()
        await looked_again(server)
        assert not readiness.must_restart
        server.is_up = True
        await readiness.wait()


async def test_a_server_that_only_hangs_for_a_while_is_ready_again() -> None:
    server = Server()
    async with watching(server) as readiness:
        server.hangs = True
        readiness.doubt()
        await looked_again(server)
        assert not readiness.is_ready
        server.hangs = False
        await readiness.wait()
