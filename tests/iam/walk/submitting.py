"""Callers come to the authorizer and the intake."""

import json

from tests.iam.callers import BATCH, PREDICT, Callers
from tests.iam.processes import DEPLOYMENT, role_of

_LARGE = "x" * 220_000
"""Too large for a message."""

_LINES = b'{"model_input": {"do": "echo"}}\n'


def submit(callers: Callers) -> None:
    """Submit in every way; what the worker makes of it is not looked at."""
    callers.authorize()
    callers.invoke_signed()
    first, again = (callers.submit(_LARGE, key="once") for _ in range(2))
    assert first == again
    _submit_batches(callers)
    assert callers.processes.call("intake", "POST", "/models/ocr/production/wake")[0] == 202
    _submit_while_a_queue_is_busy(callers)


def _submit_batches(callers: Callers) -> None:
    call = callers.processes.call
    items = [{"model_input": {"do": "echo"}}]
    assert call("intake", "POST", BATCH, {"requests": items})[1]["accepted"] == 1
    for place in (callers.upload(_LINES), callers.offer("lines", _LINES)):
        assert call("intake", "POST", BATCH, {"input_location": place})[1]["accepted"] == 1
        nothing = {"input_location": f"{place}-nothing"}
        assert call("intake", "POST", BATCH, nothing)[0] == 400


def _submit_while_a_queue_is_busy(callers: Callers) -> None:
    """What is half accepted is withdrawn."""
    queue = callers.processes.account.variables_of_worker(DEPLOYMENT)["PENSTOCK_QUEUE_URL_P0"]
    callers.processes.recorder.to_refuse.append((role_of("intake"), "SendMessage", queue))
    body = json.dumps({"model_input": 1})
    assert callers.processes.call("intake", "POST", PREDICT, body)[0] == 503
