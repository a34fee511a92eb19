"""`penstock batch submit`: what is checked, what is sent, what is printed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock.contracts.http.native import MOST_IN_BATCH
from tests.unit.cli.batch.conftest import WorkingApi, lines_of
from tests.unit.cli.conftest import CommandLine

BatchOf = Callable[..., str]

pytestmark = pytest.mark.usefixtures("pauses")


def test_a_byte_order_mark_before_lines_means_nothing(
    run: CommandLine, api: WorkingApi, tmp_path: Path
) -> None:
    file = tmp_path / "batch.jsonl"
    file.write_text('{"model_input": 1}\n{"model_input": 2}\n', encoding="utf-8-sig")

    assert run("batch", "submit", "ocr", str(file)).exit_code == 0
    assert [row["model_input"] for row in api.rows.values()] == [1, 2]


def test_each_line_becomes_a_request(run: CommandLine, api: WorkingApi, batch_of: BatchOf) -> None:
    done = run("batch", "submit", "ocr", batch_of("a", "b"), "--environment", "staging")

    assert done.exit_code == 0
    assert lines_of(done.stdout) == [
        {"index": 0, "request_id": "r0"},
        {"index": 1, "request_id": "r1"},
    ]
    assert api.paths == ["/models/ocr/environments/staging/async_predict_batch"]
    assert [row["model_input"] for row in api.rows.values()] == ["a", "b"]
    assert done.stderr.splitlines()[-1] == "2 lines: 2 accepted"


def test_lines_may_come_through_a_pipe(run: CommandLine, api: WorkingApi) -> None:
    done = run("batch", "submit", "ocr", "-", input='{"model_input": "ä"}\n')

    assert lines_of(done.stdout) == [{"index": 0, "request_id": "r0"}]
    assert api.rows["r0"]["model_input"] == "ä"


def test_empty_lines_count_but_are_not_sent(run: CommandLine, api: WorkingApi) -> None:
    text = '\n{"model_input": 1}\n  \n{"model_input": {"refuse": "client_error"}}'

    done = run("batch", "submit", "ocr", "-", input=text)

    assert [line["index"] for line in lines_of(done.stdout)] == [1, 3]
    assert "line 4 refused: not this one" in done.stderr
    assert len(api.submissions[0]) == 2


def test_options_are_for_the_lines_that_say_nothing_of_it(
    run: CommandLine, api: WorkingApi
) -> None:
    run(
        "batch", "submit", "ocr", "-", "--priority", "2", "--webhook", "https://you.example.com",
        input='{"model_input": 1}\n'
        '{"model_input": 2, "priority": 0, "max_time_in_queue_seconds": 60}\n',
    )  # fmt: skip

    plain, own = (
        {name: value for name, value in item.items() if name != "idempotency_key"}
        for item in api.rows.values()
    )
    assert plain == {
        "model_input": 1,
        "priority": 2,
        "webhook_endpoint": "https://you.example.com",
        "max_time_in_queue_seconds": 259_200,
    }
    assert (own["priority"], own["max_time_in_queue_seconds"]) == (0, 60)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "line 2: Invalid JSON"),
        ("[1]", "line 2: Input should be an object"),
        ('{"text": "hello"}', "line 2: text: Extra inputs are not permitted"),
        ("{}", "line 2: model_input: Field required"),
        ('{"model_input": 1, "priority": 7}', "line 2: priority: "),
        ('{"model_input": NaN}', "line 2: Out of range float values"),
        ('{"model_input": "\\ud800"}', "line 2: "),
        ('{"model_input": 1', "line 2: Invalid JSON"),
    ],
)
def test_nothing_is_sent_while_a_line_is_wrong(
    run: CommandLine, api: WorkingApi, line: str, said: str
) -> None:
    done = run("batch", "submit", "ocr", "-", input=f'{{"model_input": 1}}\n{line}\n')

    assert done.exit_code == 2
    assert said in done.stderr
    assert "nothing was submitted" in done.stderr
    assert done.stdout == ""
    assert api.asked == []


def test_of_very_many_wrong_lines_the_first_are_told(run: CommandLine) -> None:
    done = run("batch", "submit", "ocr", "-", input="{}\n" * 50)

    assert "50 lines of - are wrong" in done.stderr
    assert "line 20:" in done.stderr
    assert "line 21:" not in done.stderr
    assert "and 30 more" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.jsonl"], "cannot read missing.jsonl"),
        (["-"], "- has no lines"),
        (["-", "--idempotency-prefix", "two words"], "visible ASCII"),
        (["s3://pages/batch.jsonl", "--priority", "1"], "lines in S3"),
        (["s3://pages/batch.jsonl", "--idempotency-prefix", "monday"], "lines in S3"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    run: CommandLine, api: WorkingApi, arguments: list[str], said: str
) -> None:
    done = run("batch", "submit", "ocr", *arguments, input="\n")

    assert done.exit_code == 2
    assert said in done.stderr
    assert api.asked == []


def test_an_output_that_cannot_be_written_is_told_before_anything_is_sent(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, tmp_path: Path
) -> None:
    output = str(tmp_path / "no" / "such" / "folder.jsonl")

    done = run("batch", "submit", "ocr", batch_of("a"), "--output", output)

    assert done.exit_code == 2
    assert "cannot write" in done.stderr
    assert api.asked == []


def test_the_lines_may_be_written_over_the_file_they_came_from(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf
) -> None:
    file = batch_of("a")

    run("batch", "submit", "ocr", file, "--output", file)

    assert lines_of(Path(file).read_text()) == [{"index": 0, "request_id": "r0"}]
    assert api.rows["r0"]["model_input"] == "a"


def test_a_refused_line_is_told_and_the_others_go_on(run: CommandLine, batch_of: BatchOf) -> None:
    done = run("batch", "submit", "ocr", batch_of("a", {"refuse": "client_error"}, "c"))

    assert done.exit_code == 1
    assert lines_of(done.stdout) == [
        {"index": 0, "request_id": "r0"},
        {"index": 1, "error": "not this one", "error_code": "client_error"},
        {"index": 2, "request_id": "r1"},
    ]
    assert "line 2 refused: not this one" in done.stderr
    assert done.stderr.splitlines()[-1] == "3 lines: 2 accepted, 1 refused"


def test_a_large_file_goes_in_several_calls(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf
) -> None:
    done = run("batch", "submit", "ocr", batch_of(*range(MOST_IN_BATCH + 1)))

    assert [len(items) for items in api.submissions] == [MOST_IN_BATCH, 1]
    assert [line["index"] for line in lines_of(done.stdout)] == list(range(MOST_IN_BATCH + 1))


def test_a_full_queue_is_waited_for(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, pauses: list[float]
) -> None:
    full = httpx.Response(429, json={"error": "too many are outstanding"})
    api.replies = [full, full, full]

    done = run("batch", "submit", "ocr", batch_of("a", "b"))

    assert [line["request_id"] for line in lines_of(done.stdout)] == ["r0", "r1"]
    assert [pause for pause in pauses if pause] == [1, 1.5, 2.25]


def test_a_full_queue_is_not_waited_for_beyond_the_time(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf
) -> None:
    api.replies = [httpx.Response(429, json={"error": "too many are outstanding"})]

    done = run("batch", "submit", "ocr", batch_of("a", "b"), "--timeout", "0")

    assert done.exit_code == 1
    assert [line["error_code"] for line in lines_of(done.stdout)] == ["rate_limited"] * 2
    assert "too many are outstanding" in done.stderr


@pytest.mark.parametrize(
    ("trouble", "exit_code"),
    [(httpx.Response(401), 3), (httpx.Response(404), 4), (httpx.ConnectError("refused"), 6)],
)
def test_trouble_with_the_whole_batch_has_its_exit_code(
    run: CommandLine,
    api: WorkingApi,
    batch_of: BatchOf,
    trouble: httpx.Response | Exception,
    exit_code: int,
) -> None:
    api.replies = [trouble]

    assert run("batch", "submit", "ocr", batch_of("a")).exit_code == exit_code


def keys_of(items: list[dict[str, Any]]) -> list[str]:
    return [item["idempotency_key"] for item in items]


def test_a_stopped_run_is_continued_under_the_name_it_told(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf
) -> None:
    api.replies = [httpx.ConnectError("cable pulled")]
    file = batch_of("a", "b", "a")
    stopped = run("batch", "submit", "ocr", file)
    prefix = stopped.stderr.splitlines()[0].rpartition(" ")[2]

    first = run("batch", "submit", "ocr", file, "--idempotency-prefix", prefix)
    again = run("batch", "submit", "ocr", file, "--idempotency-prefix", prefix)

    assert stopped.exit_code == 6
    cut_off, *others = map(keys_of, api.submissions)
    assert others == [cut_off, cut_off]
    assert len(set(cut_off)) == 3
    assert lines_of(first.stdout) == lines_of(again.stdout)
    assert len(api.rows) == 3


def test_what_was_accepted_before_the_api_failed_is_written(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = api._accept  # noqa: SLF001 - it goes on as before

    def once(body: dict[str, Any]) -> httpx.Response:
        api.replies = [httpx.ConnectError("cable pulled")]
        return accept(body)

    monkeypatch.setattr(api, "_accept", once)

    done = run("batch", "submit", "ocr", batch_of(*range(MOST_IN_BATCH + 1)), "--wait")

    assert done.exit_code == 6
    assert [line["request_id"] for line in lines_of(done.stdout)] == list(api.rows)
    assert len(api.rows) == MOST_IN_BATCH
    assert "continue with the same command and --idempotency-prefix" in done.stderr.splitlines()[-2]


def test_help_says_how_a_stopped_run_is_continued(run: CommandLine) -> None:
    told = " ".join(run("batch", "submit", "--help").stdout.split())

    assert "the same command continues it with the same --idempotency-prefix" in told


def test_a_continued_run_sends_anew_only_what_was_changed(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf
) -> None:
    run("batch", "submit", "ocr", batch_of("a", "b"), "--idempotency-prefix", "monday")

    done = run(
        "batch", "submit", "ocr", batch_of("new", "a", "B"), "--idempotency-prefix", "monday"
    )

    assert [line["request_id"] for line in lines_of(done.stdout)] == ["r2", "r0", "r3"]


@pytest.mark.parametrize(
    "changes",
    [["other"], ["ocr", "--deployment", "v2"], ["ocr", "--idempotency-prefix", "tuesday"]],
)
def test_what_goes_elsewhere_is_another_request(
    run: CommandLine, api: WorkingApi, batch_of: BatchOf, changes: list[str]
) -> None:
    model, *options = changes
    file = batch_of("a")
    run("batch", "submit", "ocr", file, "--idempotency-prefix", "monday")
    options = (
        options
        if "--idempotency-prefix" in options
        else [*options, "--idempotency-prefix", "monday"]
    )

    run("batch", "submit", model, file, *options)

    assert len(api.rows) == 2


def test_a_fresh_run_is_a_fresh_batch(run: CommandLine, api: WorkingApi, batch_of: BatchOf) -> None:
    file = batch_of("a")

    run("batch", "submit", "ocr", file)
    run("batch", "submit", "ocr", file)

    assert len(api.rows) == 2


def test_a_line_keeps_its_own_key(run: CommandLine, api: WorkingApi) -> None:
    line = '{"model_input": 1, "idempotency_key": "page-7"}'

    run("batch", "submit", "ocr", "-", "--idempotency-prefix", "monday", input=line)

    assert keys_of(api.submissions[0]) == ["page-7"]


def test_lines_in_s3_are_read_by_the_api(run: CommandLine, api: WorkingApi) -> None:
    entries = [{"index": 0, "request_id": "r0"}, {"index": 2, "error": "no", "error_code": "e"}]
    answer = {"accepted": 1, "refused": 1, "requests": entries}
    api.replies = [httpx.Response(200, json=answer)]

    done = run("batch", "submit", "ocr", "s3://pages/batch.jsonl")

    assert json.loads(api.asked[0].content) == {"input_location": "s3://pages/batch.jsonl"}
    assert lines_of(done.stdout) == entries
    assert done.exit_code == 1
    assert "line 3 refused: no" in done.stderr
    assert "--idempotency-prefix" not in done.stderr
