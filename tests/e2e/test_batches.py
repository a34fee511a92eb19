"""Many requests at once, and inputs that lie in S3, with the command line on the local stack."""

import json
import subprocess
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from penstock.client import Client
from tests.e2e.stack import PENSTOCK, Stack

pytestmark = pytest.mark.e2e

FAILING = 17
LINES = [
    {"model_input": {"fail": "no ink"}, "inference_retry_config": {"max_attempts": 1}}
    if number == FAILING
    else {"model_input": {"page": number}, "priority": number % 3}
    for number in range(50)
]


@dataclass(frozen=True)
class Caller:
    """Somebody with a key and the command line."""

    url: str
    key: str

    def __call__(
        self, *arguments: str, piped: bytes = b"", exit_code: int = 0
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [PENSTOCK, *arguments],
            env={"PENSTOCK_API_URL": self.url, "PENSTOCK_API_KEY": self.key},
            input=piped,
            capture_output=True,
            check=False,
        )
        assert done.returncode == exit_code, done.stderr.decode()
        return done


@pytest.fixture(scope="module")
def penstock(stack: Stack) -> Caller:
    return Caller(stack.description.front_url, stack.new_key("batches"))


@dataclass(frozen=True)
class Batch:
    """A batch that was submitted and waited for."""

    penstock: Caller
    file: str
    ends: list[dict[str, Any]]
    told: str

    @property
    def ids(self) -> list[str]:
        return [end["request_id"] for end in self.ends]

    def submit_again(self) -> bytes:
        arguments = ("echo", self.file, "--idempotency-prefix", "pages")
        return self.penstock("batch", "submit", *arguments).stdout


@pytest.fixture(scope="module")
def batch(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    caller = Caller(stack.description.front_url, stack.new_key("pages"))
    file = tmp_path_factory.mktemp("batch") / "pages.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    arguments = ("echo", str(file), "--wait", "--idempotency-prefix", "pages")
    done = caller("batch", "submit", *arguments, exit_code=1)
    ends = sorted(lines_of(done.stdout), key=lambda end: int(end["index"]))
    return Batch(caller, str(file), ends, done.stderr.decode())


def lines_of(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_has_its_result(batch: Batch) -> None:
    assert [end["index"] for end in batch.ends] == list(range(50))
    for end, line in zip(batch.ends, LINES, strict=True):
        if end["index"] != FAILING:
            expected = {"echo": line["model_input"], "request_id": end["request_id"]}
            assert end["result"] == expected


def test_a_line_that_failed_is_told_and_spoils_no_other(batch: Batch) -> None:
    failed = batch.ends[FAILING]

    assert failed["status"] == "FAILED"
    assert "result" not in failed
    assert f"line {FAILING + 1} ({failed['request_id']}) FAILED" in batch.told
    assert batch.told.splitlines()[-1] == "50 lines: 1 FAILED, 49 SUCCEEDED"


def test_a_batch_that_is_submitted_again_finds_its_requests(batch: Batch) -> None:
    assert [line["request_id"] for line in lines_of(batch.submit_again())] == batch.ids


def test_the_requests_of_a_batch_are_counted(batch: Batch) -> None:
    submitted = batch.submit_again()

    counts = batch.penstock("batch", "status", "-", "--json", piped=submitted).stdout

    assert json.loads(counts) == {"SUCCEEDED": 49, "FAILED": 1}


def test_the_requests_of_a_deployment_are_listed(batch: Batch) -> None:
    def listed(*options: str) -> list[str]:
        done = batch.penstock("list", "echo", *options, "--json")
        return [status["request_id"] for status in json.loads(done.stdout)]

    assert set(listed("--since", "1h", "--limit", "100")) == set(batch.ids)
    assert listed("--status", "FAILED") == [batch.ids[FAILING]]
    assert listed("--since", "1h", "--limit", "7") == listed("--limit", "7")


def test_a_question_waits_for_the_end_at_the_api(stack: Stack) -> None:
    request_id = stack.submit("echo", {"sleep_seconds": 2})

    with stack.caller() as http:
        answer = http.get(f"/async_request/{request_id}", params={"wait": 20}).json()

    assert answer["status"] == "SUCCEEDED"


def test_bytes_are_uploaded_and_reach_the_model(penstock: Caller, tmp_path: Path) -> None:
    # Truss takes and gives MessagePack under this type: {"text": "hello"}.
    packed, result = tmp_path / "input.bin", tmp_path / "result.bin"
    packed.write_bytes(b"\x81\xa4text\xa5hello")
    content_type = ("--content-type", "application/octet-stream")

    done = penstock("submit", "echo", "--input", str(packed), *content_type, "--wait", "--json")
    status = json.loads(done.stdout)
    assert status["status"] == "SUCCEEDED"

    penstock("result", status["request_id"], "--output", str(result))
    assert b"\xa4echo\x81\xa4text\xa5hello" in result.read_bytes()


def test_json_too_large_for_a_submission_goes_by_s3(penstock: Caller) -> None:
    text = "x" * 400_000
    model_input = json.dumps({"text": text}).encode()

    done = penstock("submit", "echo", "--input", "-", "--wait", "--json", piped=model_input)
    result = penstock("result", json.loads(done.stdout)["request_id"])

    assert json.loads(result.stdout)["echo"] == {"text": text}


def test_lines_in_s3_are_read_by_the_api(penstock: Caller) -> None:
    lines = b'{"model_input": "first"}\n{"text": "wrong"}\n{"model_input": "third"}\n'
    with Client(penstock.url, penstock.key) as client:
        location = client.upload(lines, "application/jsonl")

    done = penstock("batch", "submit", "echo", location, "--wait", exit_code=1)

    first, wrong, third = sorted(lines_of(done.stdout), key=itemgetter("index"))
    assert (first["result"]["echo"], third["result"]["echo"]) == ("first", "third")
    assert wrong["error_code"] == "client_error"
    assert b"line 2 refused" in done.stderr
