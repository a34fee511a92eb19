"""Answers each input with the size of its batch; takes its time, so that others gather."""

import asyncio
from typing import Any

SERVICE_SECONDS = 0.3


class Model:
    """Takes one input, or a list of them."""

    async def predict(self, model_input: Any) -> Any:
        """Return the input and how many were there; an odd one out is refused."""
        await asyncio.sleep(SERVICE_SECONDS)
        if isinstance(model_input, list):
            return [_output(each, len(model_input)) for each in model_input]
        return _output(model_input, 1)


def _output(model_input: Any, together: int) -> dict[str, Any]:
    if model_input == "odd":
        return {"error": "odd", "status": 422}
    return {"of": model_input, "together": together}
