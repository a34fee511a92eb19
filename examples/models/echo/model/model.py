"""Returns what it is sent. Two keys of the input make it slow or make it fail, for tests."""

import asyncio
from typing import Any

import fastapi


class Model:
    """An echo; `predict` waits without blocking, so four requests really run at once."""

    async def predict(self, model_input: Any, request: fastapi.Request) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Return the input, after `sleep_seconds`; raise if it says `fail`."""
        wishes = model_input if isinstance(model_input, dict) else {}
        await asyncio.sleep(wishes.get("sleep_seconds", 0))
        if "fail" in wishes:
            raise RuntimeError(wishes["fail"])
        return {"echo": model_input, "request_id": request.headers.get("x-baseten-request-id")}
