"""Callers ask for what became of their requests."""

from penstock.contracts.request import Tenant
from penstock.contracts.submission import Submission
from tests.iam.callers import Callers


def ask(callers: Callers, ids: dict[str, str]) -> None:
    """Ask in every way for requests that a worker has ended."""
    call = callers.processes.call
    ended = ids["retry:0"]
    assert call("status", "GET", f"/async_request/{ended}")[1]["status"] == "SUCCEEDED"
    assert call("status", "GET", "/async_request/unknown")[0] == 404
    question = {"request_ids": [ended]}
    assert len(call("status", "POST", "/async_requests/status", question)[1]["requests"]) == 1
    assert call("status", "GET", "/models/ocr/production/async_requests")[1]["requests"]
    assert call("status", "GET", "/models/ocr/production/async_queue_status")[0] == 200
    for inference_id, status in {"echo": 200, "reject": 400}.items():
        assert callers.call_container(inference_id)[0] == status
        assert callers.ask_container(inference_id)[0] == status
    _fetch(callers, ids)
    assert callers.ask_container(ids["fail:place"])[0] == 400
    called = Submission(tenant=Tenant("acme"), idempotency_key="datacrunch:ocr:echo")
    callers.lose_result(called.request_id("ocr"))
    assert callers.call_container("echo")[0] == callers.ask_container("echo")[0] == 410


def _fetch(callers: Callers, ids: dict[str, str]) -> None:
    """Fetch results of both kinds of places, then again when they have passed away."""
    for name in ("retry:0", "place"):
        path = f"/async_request/{ids[name]}/result"
        assert callers.processes.call("status", "GET", path)[0] == 200
        callers.lose_result(ids[name])
        assert callers.processes.call("status", "GET", path)[0] == 409
    redirect = callers.processes.call("status", "GET", f"/async_request/{ids['big']}/result")
    assert redirect[0] == 303
