"""A Truss directory whose folders have names of their own, with a lock, on the real server."""

from typing import Any

import pytest

from penstock.local.pods.images.private_root import is_possible
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


def answer(stack: Stack, paths: list[str]) -> dict[str, Any]:
    request_id = stack.submit("renamed", paths)
    stack.wait_for("renamed", request_id, "SUCCEEDED", 120)
    with stack.caller() as http:
        found = http.get(f"/models/renamed/async_request/{request_id}/result")
    body: dict[str, Any] = found.json()
    return body


def test_a_model_finds_its_class_data_packages_and_locked_requirements(stack: Stack) -> None:
    assert answer(stack, []) == {
        "data": "from files", "package": "from libs", "locked": "2.1.0", "lines": [],
    }  # fmt: skip


@pytest.mark.skipif(not is_possible(), reason="needs Linux with user namespaces")
def test_a_model_finds_its_files_by_the_paths_that_its_image_has(stack: Stack) -> None:
    found = answer(stack, ["/app/data/greeting", "/packages/own.py", "/app/config.yaml"])
    assert found["lines"] == ["from files", 'HELLO = "from libs"', "apply_library_patches: true"]
