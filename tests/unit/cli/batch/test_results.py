"""What a batch came to: `--wait`, `penstock batch results` and `penstock batch status`."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.unit.cli.batch.conftest import WorkingApi, lines_of
from tests.unit.cli.conftest import CommandLine

BatchOf = Callable[..., str]

pytestmark = pytest.mark.usefixtures("pauses")


def test_results_are_written_in_the_order_of_the_file(run: CommandLine, batch_of: BatchOf) -> None:
    done = run("batch", "submit", "ocr", batch_of(*range(40)), "--wait")

    assert done.exit_code == 0
    assert lines_of(done.stdout) == [
        {
            "index": number,
            "request_id": f"r{number}",
            "status": "SUCCEEDED",
            "result": {"echo": number},
        }
        for number in range(40)
    ]
    assert done.stderr.splitlines()[-1] == "40 lines: 40 SUCCEEDED"


def test_results_are_written_to_a_file(run: CommandLine, batch_of: BatchOf, tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"

    done = run("batch", "submit", "ocr", batch_of("ä"), "--wait", "--output", str(output))

    assert done.stdout == ""
    (line,) = lines_of(output.read_text(encoding="utf-8"))
    assert line["result"] == {"echo": "ä"}


def test_what_failed_stands_beside_what_succeeded(run: CommandLine, batch_of: BatchOf) -> None:
    inputs = ("a", {"end": "FAILED"}, {"refuse": "client_error"}, {"end": "EXPIRED"}, "e")

    done = run("batch", "submit", "ocr", batch_of(*inputs), "--wait")

    assert done.exit_code == 1
    first, failed, refused, expired, last = lines_of(done.stdout)
    assert first["status"] == last["status"] == "SUCCEEDED"
    assert failed == {
        "index": 1,
        "request_id": "r1",
        "status": "FAILED",
        "error": "MODEL_PREDICT_ERROR: no ink",
    }
    assert refused == {"index": 2, "error": "not this one", "error_code": "client_error"}
    assert (expired["status"], expired["error"]) == ("EXPIRED", "the request ended EXPIRED")
    assert "line 2 (r1) FAILED: MODEL_PREDICT_ERROR: no ink" in done.stderr
    assert "line 3 refused: not this one" in done.stderr
    assert done.stderr.splitlines()[-1] == "5 lines: 1 EXPIRED, 1 FAILED, 2 SUCCEEDED, 1 refused"


def test_a_result_whose_webhook_was_never_taken_is_a_result(
    run: CommandLine, batch_of: BatchOf
) -> None:
    done = run("batch", "submit", "ocr", batch_of({"end": "WEBHOOK_FAILED"}), "--wait")

    assert done.exit_code == 0
    assert "result" in lines_of(done.stdout)[0]


def test_of_very_many_failures_the_first_are_told(run: CommandLine, batch_of: BatchOf) -> None:
    done = run("batch", "submit", "ocr", batch_of(*[{"end": "FAILED"}] * 30), "--wait")

    assert done.stderr.count("FAILED: ") == 20
    assert "and 10 more lines have an error" in done.stderr
    assert len(lines_of(done.stdout)) == 30


@pytest.mark.parametrize(
    ("given", "encoded", "content_type"),
    [("png", "iVBORw==", "image/png"), ("nan", "W05hTl0=", "application/json")],
)
def test_a_result_that_is_no_json_is_encoded(
    run: CommandLine, batch_of: BatchOf, given: str, encoded: str, content_type: str
) -> None:
    (line,) = lines_of(run("batch", "submit", "ocr", batch_of(given), "--wait").stdout)

    assert (line["result_base64"], line["content_type"]) == (encoded, content_type)
    assert "result" not in line


def test_when_the_time_is_up_what_there_is_is_written(run: CommandLine, batch_of: BatchOf) -> None:
    file = batch_of("a", {"end": "IN_PROGRESS"})

    done = run("batch", "submit", "ocr", file, "--wait", "--timeout", "0")

    assert done.exit_code == 5
    ended, running = lines_of(done.stdout)
    assert ended["result"] == {"echo": "a"}
    assert running["status"] == "IN_PROGRESS"
    assert "had not ended" in running["error"]
    assert "can be collected later" in done.stderr


def test_results_are_collected_from_what_submit_printed(
    run: CommandLine, batch_of: BatchOf
) -> None:
    submitted = run("batch", "submit", "ocr", batch_of("a", {"refuse": "client_error"}, "c"))

    done = run("batch", "results", "-", input=submitted.stdout)

    assert done.exit_code == 1
    assert [line.get("result") for line in lines_of(done.stdout)] == [
        {"echo": "a"},
        None,
        {"echo": "c"},
    ]


def test_results_can_be_collected_again_from_results(
    run: CommandLine, batch_of: BatchOf, tmp_path: Path
) -> None:
    file = tmp_path / "results.jsonl"
    run("batch", "submit", "ocr", batch_of("a"), "--wait", "--output", str(file))
    written = file.read_text()

    done = run("batch", "results", str(file), "--output", str(file))

    assert done.exit_code == 0
    assert file.read_text() == written


def test_a_request_that_passed_away_is_told_in_its_line(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf
) -> None:
    submitted = run("batch", "submit", "ocr", batch_of("a", "b"))
    del api.rows["r0"]

    done = run("batch", "results", "-", input=submitted.stdout)

    assert done.exit_code == 1
    gone, there = lines_of(done.stdout)
    assert gone == {"index": 0, "request_id": "r0", "error": "the request does not exist"}
    assert there["result"] == {"echo": "b"}


@pytest.mark.parametrize("command", ["results", "status"])
@pytest.mark.parametrize("line", ["no json", '{"model_input": 1}'])
def test_another_file_is_not_taken_for_a_batch(
    run: CommandLine, api: WorkingApi, command: str, line: str
) -> None:
    done = run("batch", command, "-", input=line)

    assert done.exit_code == 2
    assert "line 1 of - is none that 'penstock batch submit' printed" in done.stderr
    assert api.asked == []


def test_the_requests_of_a_batch_are_counted_by_where_they_are(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf
) -> None:
    inputs = ("a", "b", {"end": "QUEUED"}, {"refuse": "client_error"}, "gone")
    submitted = run("batch", "submit", "ocr", batch_of(*inputs)).stdout
    del api.rows["r3"]

    done = run("batch", "status", "-", "--json", input=submitted)

    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"SUCCEEDED": 2, "QUEUED": 1, "refused": 1, "unknown": 1}
    assert "2 SUCCEEDED" in run("batch", "status", "-", input=submitted).stdout


def test_on_a_terminal_progress_is_drawn_beside_the_data(
    run: CommandLine, batch_of: BatchOf
) -> None:
    done = run("batch", "submit", "ocr", batch_of("a"), "--wait", env={"FORCE_COLOR": "1"})

    assert "submitted" in done.stderr
    assert "ended" in done.stderr
    assert lines_of(done.stdout)[0]["result"] == {"echo": "a"}


def test_an_api_that_goes_away_ends_the_command(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = run("batch", "submit", "ocr", batch_of("a")).stdout

    def gone(_request_id: str) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(api, "_result", gone)

    assert run("batch", "results", "-", input=submitted).exit_code == 6
