"""What a batch came to: `--wait`, `penstock batch results` and `penstock batch status`."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from penstock.cli.batch.report import Report, Verbatim
from tests.unit.cli.batch.conftest import NOT_JSON, WorkingApi, in_order, lines_of
from tests.unit.cli.conftest import CommandLine

BatchOf = Callable[..., str]

ERASED_LINE = "\x1b[2K"

pytestmark = pytest.mark.usefixtures("pauses")


def test_what_ends_together_is_written_in_the_order_of_the_file(
    run: CommandLine, batch_of: BatchOf
) -> None:
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
    first, failed, refused, expired, last = in_order(done.stdout)
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


def test_every_odd_result_has_its_line_and_none_costs_another_its_own(
    run: CommandLine, batch_of: BatchOf
) -> None:
    odd = sorted(NOT_JSON)

    done = run("batch", "submit", "ocr", batch_of("first", *odd, "last"), "--wait")

    assert done.exit_code == 0
    first, *lines, last = [json.loads(line, parse_constant=_refuse) for line in split(done.stdout)]
    assert (first["result"], last["result"]) == ({"echo": "first"}, {"echo": "last"})
    sent = [base64.b64decode(line["result_base64"]) for line in lines]
    assert sent == [NOT_JSON[name].content for name in odd]


def test_a_result_is_one_line_in_the_models_own_words(run: CommandLine, batch_of: BatchOf) -> None:
    (line,) = split(run("batch", "submit", "ocr", batch_of("pretty"), "--wait").stdout)

    assert "0.12345678901234567890" in line
    assert json.loads(line)["result"] == [0.12345678901234568, "a\nb\u2028"]


def test_a_deep_result_that_can_be_parsed_is_no_base64(run: CommandLine, batch_of: BatchOf) -> None:
    (line,) = split(run("batch", "submit", "ocr", batch_of("deep, but read"), "--wait").stdout)

    assert line.endswith(f'"result": {"[" * 700}{"]" * 700}}}')


def test_lines_can_be_written_where_only_ascii_can(tmp_path: Path) -> None:
    with (tmp_path / "lines").open("w", encoding="ascii") as file:
        Report(file).write_all([{"index": 0, "result": Verbatim('"é😀"'), "note": "ü"}])
    written = json.loads((tmp_path / "lines").read_text())
    assert written == {"index": 0, "result": "é😀", "note": "ü"}


def split(text: str) -> list[str]:
    """Return lines as other programs tell them apart."""
    return text.removesuffix("\n").split("\n")


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(constant)


def test_when_the_time_is_up_what_there_is_is_written(run: CommandLine, batch_of: BatchOf) -> None:
    file = batch_of("a", {"end": "IN_PROGRESS"})

    done = run("batch", "submit", "ocr", file, "--wait", "--timeout", "0")

    assert done.exit_code == 5
    ended, running = in_order(done.stdout)
    assert ended["result"] == {"echo": "a"}
    assert running["status"] == "IN_PROGRESS"
    assert "had not ended" in running["error"]
    assert "can be collected later with the same command and --idempotency-prefix" in done.stderr


def test_results_are_collected_from_what_submit_printed(
    run: CommandLine, batch_of: BatchOf
) -> None:
    submitted = run("batch", "submit", "ocr", batch_of("a", {"refuse": "client_error"}, "c"))

    done = run("batch", "results", "-", input=submitted.stdout)

    assert done.exit_code == 1
    assert [line.get("result") for line in in_order(done.stdout)] == [
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
    gone, there = in_order(done.stdout)
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


def test_on_a_terminal_progress_makes_way_for_the_data(
    run: CommandLine, batch_of: BatchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Report, "leaves_room", False)

    done = run("batch", "submit", "ocr", batch_of("a"), "--wait", env={"FORCE_COLOR": "1"})

    before, _, _ = done.output.partition('{"index"')
    assert "ended" in before
    assert before.rstrip("\r").endswith(ERASED_LINE)


def test_a_result_is_written_while_others_are_waited_for(
    run: CommandLine,
    api: WorkingApi,
    batch_of: BatchOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output, status_of = tmp_path / "results.jsonl", api._status  # noqa: SLF001 - it goes on as before
    written: list[str] = []

    def looked_at(request_id: str) -> dict[str, Any]:
        if request_id == "r0":
            written.append(output.read_text())
        is_slow = request_id == "r0" and len(written) == 1
        return status_of(request_id) | ({"status": "QUEUED"} if is_slow else {})

    monkeypatch.setattr(api, "_status", looked_at)

    done = run("batch", "submit", "ocr", batch_of("slow", "b"), "--wait", "--output", str(output))

    assert done.exit_code == 0
    first_look, second_look = map(lines_of, written)
    assert first_look == []
    assert [line["result"] for line in second_look] == [{"echo": "b"}]
    assert [line["index"] for line in lines_of(output.read_text())] == [1, 0]


def gone(_asked: object) -> NoReturn:
    raise httpx.ConnectError("refused")


def test_an_api_that_goes_away_leaves_what_is_known_and_how_to_continue(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = batch_of("a", {"end": "IN_PROGRESS"}, {"refuse": "client_error"})
    statuses = api._statuses  # noqa: SLF001 - it goes on as before

    def once(ids: list[str]) -> httpx.Response:
        monkeypatch.setattr(api, "_statuses", gone)
        return statuses(ids)

    monkeypatch.setattr(api, "_statuses", once)

    cut_off = run("batch", "submit", "ocr", file, "--wait")

    assert cut_off.exit_code == 6
    ended, running, refused = in_order(cut_off.stdout)
    assert ended["result"] == {"echo": "a"}
    assert (running["request_id"], running["status"]) == ("r1", "IN_PROGRESS")
    assert running["error"] == "had not ended when the API failed"
    assert refused["error_code"] == "client_error"
    told, error = cut_off.stderr.splitlines()[-2:]
    assert told.startswith("what is known was written; continue with the same command and --idem")
    assert "does not answer" in error

    def when_all_has_ended(ids: list[str]) -> httpx.Response:
        api.rows["r1"]["model_input"] = "b"
        return statuses(ids)

    monkeypatch.setattr(api, "_statuses", when_all_has_ended)
    prefix = told.rpartition(" ")[2]
    done = run("batch", "submit", "ocr", file, "--wait", "--idempotency-prefix", prefix)

    assert [line.get("result") for line in in_order(done.stdout)] == [
        {"echo": "a"},
        {"echo": "b"},
        None,
    ]
    assert len(api.rows) == 2


def test_requests_that_were_not_looked_at_before_the_api_failed_are_named(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_statuses", gone)

    done = run("batch", "submit", "ocr", batch_of("a"), "--wait")

    (line,) = lines_of(done.stdout)
    assert (line["request_id"], line["error"]) == (
        "r0",
        "was not yet looked at when the API failed",
    )
    assert done.exit_code == 6


def test_results_that_cannot_be_fetched_take_no_other_with_them(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted, result = run("batch", "submit", "ocr", batch_of(*range(40))).stdout, api._result  # noqa: SLF001

    def until_the_last(request_id: str) -> httpx.Response:
        return gone(request_id) if request_id == "r39" else result(request_id)

    monkeypatch.setattr(api, "_result", until_the_last)

    done = run("batch", "results", "-", input=submitted)

    assert done.exit_code == 6
    *others, last = in_order(done.stdout)
    assert [line["result"] for line in others] == [{"echo": number} for number in range(39)]
    assert (last["status"], last["request_id"]) == ("SUCCEEDED", "r39")
    assert "its result was not fetched: " in last["error"]
    assert "continue with the same command" in done.stderr


def test_once_the_api_has_failed_no_more_results_are_asked_for(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = run("batch", "submit", "ocr", batch_of(*range(300))).stdout
    monkeypatch.setattr(api, "_result", gone)
    before = len(api.asked)

    done = run("batch", "results", "-", input=submitted)

    assert len(lines_of(done.stdout)) == 300
    assert len(api.asked) - before <= 1 + 8
