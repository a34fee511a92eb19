"""What callers do on the command line."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import CommandLine, CommandLineOf
from tests.unit.client.api import FAILED, Reply, accepted, at, status_body


def submitted(run: CommandLine) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(run.connections.api.asked[0].content)
    return body


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.json"
    file.write_text('{"image": "aGk="}')
    return file


def test_a_submission_prints_the_id_alone(penstock: CommandLineOf, page: Path) -> None:
    run = penstock(accepted())

    done = run("submit", "ocr", "--input", str(page), "--priority", "2")

    assert done.exit_code == 0
    assert done.stdout == "r1\n"
    assert submitted(run)["model_input"] == {"image": "aGk="}
    assert submitted(run)["priority"] == 2


def test_the_input_may_come_through_a_pipe(penstock: CommandLineOf) -> None:
    run = penstock(accepted())

    done = run("submit", "ocr", "--input", "-", "--json", input="[1, 2]")

    assert json.loads(done.stdout) == {"request_id": "r1"}
    assert submitted(run)["model_input"] == [1, 2]


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000 + "]" * 100_000, "[" * 900 + "]" * 900, '{"a":1e400}', '"\\ud83d"', "{"],
    ids=len,
)
def test_an_input_that_is_no_json_is_told_in_a_sentence(
    penstock: CommandLineOf, tmp_path: Path, content: str
) -> None:
    run, file = penstock(accepted()), tmp_path / "input.json"
    file.write_text(content)

    done = run("submit", "ocr", "--input", str(file))

    assert (done.exit_code, run.connections.api.asked) == (2, [])
    assert "not JSON" in done.stderr


def test_keys_of_the_input_are_set_from_text_and_from_files(
    penstock: CommandLineOf, tmp_path: Path
) -> None:
    run = penstock(accepted())
    (tmp_path / "page.png").write_bytes(b"hi")

    run("submit", "ocr", "--set", f"image=@{tmp_path / 'page.png'}", "--set", "language=en")

    assert submitted(run)["model_input"] == {"image": "aGk=", "language": "en"}


def uploading_api() -> tuple[Reply, ...]:
    place = {
        "url": "https://payloads.s3.example.com/uploads/acme/0f1e",
        "method": "PUT",
        "headers": {"If-None-Match": "*"},
        "location": "s3://payloads/uploads/acme/0f1e",
        "expires_in_seconds": 3600,
    }
    return httpx.Response(201, json=place), httpx.Response(200), accepted()


@pytest.mark.parametrize("through_a_pipe", [False, True])
def test_a_file_of_another_type_is_uploaded_as_it_is(
    penstock: CommandLineOf, tmp_path: Path, *, through_a_pipe: bool
) -> None:
    run, scan = penstock(*uploading_api()), tmp_path / "scan.png"
    scan.write_bytes(b"\x89PNG")
    file, piped = ("-", b"\x89PNG") if through_a_pipe else (str(scan), b"")

    done = run("submit", "ocr", "--input", file, "--content-type", "image/png", input=piped)

    assert done.stdout == "r1\n"
    assert "uploading 4 bytes" in done.stderr
    asked, put, submission = run.connections.api.asked
    assert json.loads(asked.content) == {"content_type": "image/png"}
    assert put.content == b"\x89PNG"
    assert json.loads(submission.content)["model_input_location"].startswith("s3://payloads/")
    assert "model_input" not in json.loads(submission.content)


def test_json_too_large_for_a_queue_is_uploaded(penstock: CommandLineOf, tmp_path: Path) -> None:
    run, large = penstock(*uploading_api()), {"image": "ä" * 110_000}
    (tmp_path / "page.json").write_text(json.dumps(large))

    run("submit", "ocr", "--input", str(tmp_path / "page.json"))

    asked, put, submission = run.connections.api.asked
    assert json.loads(asked.content) == {"content_type": "application/json"}
    assert json.loads(put.content) == large
    assert "model_input_location" in json.loads(submission.content)


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"'])
def test_an_input_that_only_python_takes_for_json_is_refused(
    penstock: CommandLineOf, value: str
) -> None:
    run = penstock()

    done = run("submit", "ocr", "--input", "-", input=value)

    assert done.exit_code == 2
    assert "input: this is not JSON" in done.stderr
    assert run.connections.api.asked == []


def test_every_option_of_a_submission_arrives(penstock: CommandLineOf) -> None:
    run = penstock(accepted())

    run(
        "submit", "ocr", "--set", "a=b", "--environment", "staging", "--idempotency-key", "page-7",
        "--webhook", "https://hooks.example.com", "--max-time-in-queue", "30",
    )  # fmt: skip

    (request,) = run.connections.api.asked
    assert request.url.path == "/models/ocr/environments/staging/async_predict"
    assert request.headers["idempotency-key"] == "page-7"
    assert submitted(run)["webhook_endpoint"] == "https://hooks.example.com"
    assert submitted(run)["max_time_in_queue_seconds"] == 30


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--input FILE"),
        (["--input", "missing.json"], "cannot read missing.json"),
        (["--input", "-"], "--content-type TYPE sends any file"),
        (["--set", "a=b", "--content-type", "text/plain"], "goes with --input FILE alone"),
        (["--input", "missing.png", "--content-type", "image/png"], "cannot read missing.png"),
        (["--set", "novalue"], "KEY=VALUE"),
        (["--set", "image=@missing.png"], "cannot read missing.png"),
        (["--set", "a=b", "--environment", "e", "--deployment", "d"], "not both"),
        (["--set", "a=b", "--priority", "3"], "--priority"),
    ],
)
def test_a_wrong_submission_says_what_is_wrong(
    penstock: CommandLineOf, arguments: list[str], said: str
) -> None:
    run = penstock()

    done = run("submit", "ocr", *arguments, input="not json")

    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert run.connections.api.asked == []


@pytest.mark.usefixtures("pauses")
def test_a_submission_can_wait_for_its_end(penstock: CommandLineOf) -> None:
    run = penstock(accepted(), at("QUEUED"), at("IN_PROGRESS"), at("SUCCEEDED"))

    done = run("submit", "ocr", "--set", "a=b", "--wait", "--json")

    assert done.exit_code == 0
    assert json.loads(done.stdout)["status"] == "SUCCEEDED"
    steps = ["submitted", "QUEUED", "IN_PROGRESS", "SUCCEEDED"]
    assert done.stderr.splitlines() == [f"r1 {step}" for step in steps]


@pytest.mark.usefixtures("pauses")
def test_on_a_terminal_progress_is_drawn_beside_the_data(penstock: CommandLineOf) -> None:
    run = penstock(at("QUEUED"), at("SUCCEEDED"))

    done = run("wait", "r1", "--json", env={"FORCE_COLOR": "1"})

    assert "1 SUCCEEDED" in done.stderr
    assert json.loads(done.stdout)[0]["status"] == "SUCCEEDED"


def test_statuses_are_one_json_document(penstock: CommandLineOf) -> None:
    done = penstock(at("QUEUED"), at("FAILED", request_id="r2"))("status", "r1", "r2", "--json")

    assert done.exit_code == 0
    assert json.loads(done.stdout) == [
        status_body("QUEUED"),
        status_body("FAILED", request_id="r2"),
    ]


def test_statuses_are_a_table_with_whole_ids(penstock: CommandLineOf) -> None:
    request_id = "7f0c2b41d0a94e1b8c55e2a94b7c1f03"
    body = FAILED | {"request_id": request_id}

    done = penstock(httpx.Response(200, json=body))("status", request_id)

    (line,) = [line for line in done.stdout.splitlines() if request_id in line]
    assert "FAILED" in line
    assert "MODEL_PREDICT_ERROR: no ink" in line


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize(
    ("end", "exit_code"),
    [("SUCCEEDED", 0), ("WEBHOOK_FAILED", 0), ("FAILED", 1), ("EXPIRED", 1), ("CANCELED", 1)],
)
def test_waiting_tells_the_shell_whether_there_is_a_result(
    penstock: CommandLineOf, end: str, exit_code: int
) -> None:
    done = penstock(at("QUEUED"), at(end))("wait", "r1", "--json")

    assert done.exit_code == exit_code
    assert [status["status"] for status in json.loads(done.stdout)] == [end]


def test_waiting_in_vain_still_prints_what_was_seen(penstock: CommandLineOf) -> None:
    done = penstock(at("QUEUED"))("wait", "r1", "--timeout", "0", "--json")

    assert done.exit_code == 5
    assert json.loads(done.stdout)[0]["status"] == "QUEUED"
    assert "r1" in done.stderr


def test_a_result_is_printed_byte_for_byte(penstock: CommandLineOf) -> None:
    content = b'{ "text" : "\xc3\xa4" }'
    reply = httpx.Response(200, content=content, headers={"Content-Type": "application/json"})

    assert penstock(reply)("result", "r1").stdout_bytes == content


def test_a_result_is_written_to_a_file(penstock: CommandLineOf, tmp_path: Path) -> None:
    reply = httpx.Response(200, content=b"\x89PNG", headers={"Content-Type": "image/png"})
    file = tmp_path / "page.png"

    done = penstock(reply)("result", "r1", "--output", str(file), "--json")

    assert file.read_bytes() == b"\x89PNG"
    expected = {"file": str(file), "bytes": 4, "content_type": "image/png"}
    assert json.loads(done.stdout) == expected


def test_a_result_that_is_no_json_is_not_printed_as_json(penstock: CommandLineOf) -> None:
    reply = httpx.Response(200, content=b"\x89PNG", headers={"Content-Type": "image/png"})

    done = penstock(reply)("result", "r1", "--json")

    assert done.exit_code == 2
    assert done.stdout == ""
    assert "--output" in done.stderr


def test_the_result_of_a_failed_request_says_why(penstock: CommandLineOf) -> None:
    done = penstock(httpx.Response(409), httpx.Response(200, json=FAILED))("result", "r1")

    assert done.exit_code == 1
    assert done.stderr == "error: request r1 ended FAILED: MODEL_PREDICT_ERROR: no ink\n"


@pytest.mark.parametrize(("canceled", "exit_code"), [(True, 0), (False, 1)])
def test_cancelling_tells_the_shell_whether_it_did(
    penstock: CommandLineOf, *, canceled: bool, exit_code: int
) -> None:
    answer = {"request_id": "r1", "canceled": canceled, "message": "because"}

    done = penstock(httpx.Response(200, json=answer))("cancel", "r1", "--json")

    assert done.exit_code == exit_code
    assert json.loads(done.stdout) == [answer]


def test_what_was_cancelled_before_an_error_is_printed(penstock: CommandLineOf) -> None:
    answer = {"request_id": "r1", "canceled": True, "message": "canceled"}

    done = penstock(httpx.Response(200, json=answer), httpx.Response(404))("cancel", "r1", "r2")

    assert done.exit_code == 4
    assert "r1" in done.stdout


def test_the_queue_is_counted(penstock: CommandLineOf) -> None:
    depth = {
        "model_id": "ocr",
        "deployment_id": "d1",
        "num_queued_requests": 12,
        "num_in_progress_requests": 3,
    }
    run = penstock(httpx.Response(200, json=depth))

    assert json.loads(run("queue", "ocr", "--json").stdout) == depth
    assert "num_queued_requests       12" in run("queue", "ocr").stdout
