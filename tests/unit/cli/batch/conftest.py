"""An API that works on batches, behind the command line."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import CommandLine, FakeConnections
from tests.unit.client.api import Reply, ScriptedApi, status_body

_JSON = {"Content-Type": "application/json"}
NOT_JSON = {
    "png": httpx.Response(200, content=b"\x89PNG", headers={"Content-Type": "image/png"}),
    "surrogate": httpx.Response(200, content=b'{"t":"\\ud83d"}', headers=_JSON),
    "deep": httpx.Response(200, content=b"[" * 100_000 + b"]" * 100_000, headers=_JSON),
    "overflow": httpx.Response(200, content=b'{"e":1e400}', headers=_JSON),
    "cut": httpx.Response(200, content=b'{"e":', headers=_JSON),
    "latin": httpx.Response(200, content=b'"\xe9"', headers=_JSON),
    "digits": httpx.Response(200, content=b"9" * 5_000, headers=_JSON),
    "nan": httpx.Response(200, content=b"[NaN]", headers=_JSON),
}
ODD_JSON = {
    "deep, but read": b"[" * 700 + b"]" * 700,
    "pretty": '\ufeff[\r\n  0.12345678901234567890,\n  "a\\nb\u2028"\n]\n'.encode(),
}


@dataclass
class WorkingApi(ScriptedApi):
    """Accepts batches, works on them and knows what they came to; inputs say how.

    `refuse` names an error code, `end` a status other than SUCCEEDED.
    """

    replies: list[Reply] = field(default_factory=list)
    """What meets the first submissions."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The items that were accepted, by request id."""

    ids: dict[str, str] = field(default_factory=dict)
    """The request of each idempotency key."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path
        if path.endswith("/async_predict_batch"):
            trouble = self.replies.pop(0) if self.replies else None
            if isinstance(trouble, Exception):
                raise trouble
            return trouble or self._accept(json.loads(request.content))
        if path == "/async_requests/status":
            return self._statuses(json.loads(request.content)["request_ids"])
        return self._result(path.split("/")[2])

    @property
    def submissions(self) -> list[list[dict[str, Any]]]:
        """The items of each call that submitted some."""
        paths = zip(self.paths, self.asked, strict=True)
        return [
            json.loads(request.content)["requests"]
            for path, request in paths
            if path.endswith("/async_predict_batch")
        ]

    def _accept(self, body: dict[str, Any]) -> httpx.Response:
        entries = [
            {"index": index, **self._entry(item)} for index, item in enumerate(body["requests"])
        ]
        accepted = sum("request_id" in entry for entry in entries)
        answer = {"accepted": accepted, "refused": len(entries) - accepted, "requests": entries}
        return httpx.Response(200, json=answer)

    def _entry(self, item: dict[str, Any]) -> dict[str, Any]:
        wishes = item["model_input"] if isinstance(item["model_input"], dict) else {}
        if code := wishes.get("refuse"):
            return {"error": "not this one", "error_code": code}
        request_id = self.ids.setdefault(item["idempotency_key"], f"r{len(self.ids)}")
        self.rows[request_id] = item
        return {"request_id": request_id}

    def _statuses(self, ids: list[str]) -> httpx.Response:
        found = [self._status(request_id) for request_id in ids if request_id in self.rows]
        missing = [request_id for request_id in ids if request_id not in self.rows]
        return httpx.Response(200, json={"requests": found, "missing": missing})

    def _status(self, request_id: str) -> dict[str, Any]:
        wishes = self.rows[request_id]["model_input"]
        end = wishes.get("end", "SUCCEEDED") if isinstance(wishes, dict) else "SUCCEEDED"
        errors = [{"code": "MODEL_PREDICT_ERROR", "message": "no ink"}] if end == "FAILED" else []
        return status_body(end, request_id=request_id, errors=errors)

    def _result(self, request_id: str) -> httpx.Response:
        given = self.rows[request_id]["model_input"]
        if isinstance(given, str) and given in NOT_JSON:
            return NOT_JSON[given]
        if isinstance(given, str) and given in ODD_JSON:
            return httpx.Response(200, content=ODD_JSON[given], headers=_JSON)
        return httpx.Response(200, json={"echo": given})


@pytest.fixture
def api() -> WorkingApi:
    return WorkingApi()


@pytest.fixture
def run(api: WorkingApi) -> CommandLine:
    """Return the command line in front of an API that works."""
    return CommandLine(FakeConnections(api))


@pytest.fixture
def batch_of(tmp_path: Path) -> Callable[..., str]:
    """Return what writes a file of lines with such inputs."""

    def written(*inputs: object) -> str:
        file = tmp_path / "batch.jsonl"
        file.write_text("".join(json.dumps({"model_input": each}) + "\n" for each in inputs))
        return str(file)

    return written


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return lines of JSON."""
    return [json.loads(line) for line in text.splitlines()]


def in_order(text: str) -> list[dict[str, Any]]:
    """Return lines of JSON as the file had them, whichever came first."""

    def index(line: dict[str, Any]) -> int:
        return int(line["index"])

    return sorted(lines_of(text), key=index)
