"""Requests that share a call to a real Truss server, on the local stack."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


def test_requests_share_calls_and_each_hears_its_own_answer(stack: Stack) -> None:
    with ThreadPoolExecutor(8) as callers:
        numbers = [*range(12), "odd", *range(12, 24)]
        ids = list(callers.map(lambda number: stack.submit("together", number), numbers))
    odd = ids.pop(12)
    for request_id in ids:
        stack.wait_for("together", request_id, "SUCCEEDED")
    stack.wait_for("together", odd, "FAILED")

    with stack.caller() as http:
        paths = [f"/models/together/async_request/{request_id}/result" for request_id in ids]
        results = [http.get(path).json() for path in paths]
    assert [result["of"] for result in results] == list(range(24))
    assert max(result["together"] for result in results) > 1
    (fault,) = stack.status("together", odd)["errors"]
    assert fault["code"] == "MODEL_INVALID_INPUT"
    assert fault["message"].startswith("The model server answered 422")
