"""Writes down each start and end of a call, and does what the input wishes."""

import asyncio
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import fastapi

_LOOK_SECONDS = 0.02


class Model:
    """Appends to the file named by RECORD_FILE; fails the share FAIL_SHARE of its calls."""

    def __init__(self, **_: Any) -> None:
        self._file = os.open(os.environ["RECORD_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._fail_share = float(os.environ.get("FAIL_SHARE", "0"))

    async def predict(self, model_input: Any, request: fastapi.Request) -> dict[str, Any]:
        """Wait as the input says, then return its label.

        `sleep_seconds`: so long. `until`: until this file exists, or the caller hangs up.
        `block_seconds`: so long without looking at anything.
        """
        wishes = model_input if isinstance(model_input, dict) else {}
        request_id = request.headers["x-baseten-request-id"]
        self._write("start", request_id)
        time.sleep(wishes.get("block_seconds", 0))
        await asyncio.sleep(wishes.get("sleep_seconds", 0))
        while "until" in wishes and not Path(wishes["until"]).exists():
            if await request.is_disconnected():
                self._write("closed", request_id)
                raise RuntimeError("the caller hung up")
            await asyncio.sleep(_LOOK_SECONDS)
        if random.random() < self._fail_share:  # noqa: S311 - luck, not a secret
            self._write("failed", request_id)
            raise RuntimeError("no luck")
        self._write("end", request_id)
        return {"label": wishes.get("label")}

    def _write(self, event: str, request_id: str) -> None:
        line = {"event": event, "request_id": request_id, "pid": os.getpid(), "at": time.time()}
        os.write(self._file, json.dumps(line).encode() + b"\n")
