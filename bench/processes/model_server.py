"""A model server that does nothing but take its time, and knows when it was busy."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel

from bench.processes.starting import report, settings_text
from penstock.contracts.http.signature import REQUEST_ID_HEADER

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_REQUEST_ID = f"{REQUEST_ID_HEADER}:".lower().encode()


class ModelServerSettings(BaseModel):
    """What the model costs."""

    slots: int
    service_seconds: float = 0.0
    """0: it answers at once."""


class Busy(BaseModel):
    """When the model worked; times are of the machine's monotonic clock."""

    starts: list[tuple[str, float, float]] = []
    """Request, start and end of each call, in the order in which they ended."""


class _Connection(asyncio.Protocol):
    """Just enough HTTP that the server's own cost is next to nothing."""

    def __init__(
        self, settings: ModelServerSettings, threads: ThreadPoolExecutor, busy: Busy
    ) -> None:
        self._settings = settings
        self._threads = threads
        self._busy = busy
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP has no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(_END_OF_HEAD)) >= 0:
            head = self._received[:end].lower()
            whole = end + len(_END_OF_HEAD) + int(_header(head, _LENGTH) or 0)
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"get /busy"):
            self._send(self._busy.model_dump_json().encode())
        elif head.startswith(b"get "):
            self._send(b"{}")
        elif not self._settings.service_seconds:
            self._send(b'{"ok": true}')
        else:
            request_id = _header(head, _REQUEST_ID).decode()
            loop = asyncio.get_running_loop()
            done = loop.run_in_executor(self._threads, self._work, request_id)
            done.add_done_callback(lambda _: self._send(b'{"ok": true}'))

    def _work(self, request_id: str) -> None:
        started = time.monotonic()
        time.sleep(self._settings.service_seconds)
        self._busy.starts.append((request_id, started, time.monotonic()))

    def _send(self, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_HEAD % (len(body), body))


def _header(head: bytes, name: bytes) -> bytes:
    at = head.find(name)
    return head[at + len(name) :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""


async def _serve(settings: ModelServerSettings) -> None:
    threads, busy = ThreadPoolExecutor(settings.slots), Busy()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(settings, threads, busy), "127.0.0.1", 0
    )
    host, port = server.sockets[0].getsockname()
    report(f"http://{host}:{port}")
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(ModelServerSettings.model_validate_json(settings_text())))
