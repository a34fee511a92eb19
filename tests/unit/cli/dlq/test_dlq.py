"""Looking at dead letters, running their requests again, letting them go."""

import json

import pytest

from penstock.adapters.in_memory.fault_points import CrashError
from penstock.contracts.origin import Destination, Location
from penstock.contracts.request import RequestState
from penstock.contracts.request_id import as_uuid
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.dlq.conftest import StackInMemory


def test_a_list_says_whose_letters_lie_where_and_why(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.poison()
    (line,) = json.loads(penstock("dlq", "list", "--json").stdout)
    assert line["deployment_id"] == "ocr-1"
    assert line["request_id"] == row.request_id
    assert (line["state"], line["reason"]) == ("FAILED", "MODEL_PREDICT_ERROR: boom")
    # What was looked at shows to the next who looks.
    assert len(json.loads(penstock("dlq", "list", "--json").stdout)) == 1


def test_a_model_that_does_not_exist_is_named(penstock: CommandLine) -> None:
    done = penstock("dlq", "list", "--model", "nosuch")
    assert done.exit_code != 0
    assert "nosuch" in done.stderr


def test_show_tells_faults_attempts_and_the_head_of_the_payload(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.poison()
    shown = json.loads(penstock("dlq", "show", row.request_id, "--json").stdout)
    assert shown["faults"] == [{"code": "MODEL_PREDICT_ERROR", "message": "boom"}]
    assert (shown["attempts"], shown["tenant"]) == (1, "acme")
    assert (shown["payload_bytes"], shown["payload_head"]) == (14, '{"image": "x"}')


def test_show_says_when_there_is_no_letter(penstock: CommandLine) -> None:
    done = penstock("dlq", "show", "0" * 32)
    assert done.exit_code != 0
    assert "no dead letter of request" in done.stderr


def test_a_redriven_request_waits_again_under_its_id_with_all_its_attempts(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.poison()
    done = penstock("dlq", "redrive", row.request_id, "--yes", "--json")

    assert json.loads(done.stdout) == [
        {"request_id": row.request_id, "outcome": "queued again"},
    ]
    now = stack.world.row(row.request_id)
    assert (now.state, now.attempts_left) == (RequestState.QUEUED, now.retry.max_attempts)
    assert now.notified_at is None
    (message,) = stack.world.waiting()
    assert message.request_id == row.request_id
    assert stack.letters() == 0


def test_all_letters_are_redriven_on_demand(penstock: CommandLine, stack: StackInMemory) -> None:
    rows = [stack.poison() for _ in range(12)]
    assert penstock("dlq", "redrive", "--all", "--yes").exit_code == 0
    assert stack.letters() == 0
    assert {stack.world.row(row.request_id).state for row in rows} == {RequestState.QUEUED}


@pytest.mark.parametrize("call", ["requests.reopen", "results.drop_failure", "queue.send"])
def test_a_redrive_that_was_cut_off_is_finished_by_the_next(
    penstock: CommandLine, stack: StackInMemory, call: str
) -> None:
    row = stack.poison()
    stack.world.faults.crash_after(call)
    with pytest.raises(CrashError):
        penstock("dlq", "redrive", row.request_id, "--yes", catch_exceptions=False)
    stack.world.clock.advance(301)

    assert penstock("dlq", "redrive", row.request_id, "--yes").exit_code == 0
    assert stack.world.row(row.request_id).state is RequestState.QUEUED
    assert {message.request_id for message in stack.world.waiting()} == {row.request_id}
    assert stack.letters() == 0


def test_a_failure_document_at_a_promised_place_makes_room(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    place = Location(bucket="callers", key="failures/1")
    row = stack.poison(Destination(result=place, failure=place))
    assert penstock("dlq", "redrive", row.request_id, "--yes").exit_code == 0
    later = stack.world.results.put_failure(row.request_id, b"of a later end", place=place)
    assert stack.world.results.read(later) == b"of a later end"


def test_every_command_reads_an_id_with_hyphens_too(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.poison()
    shown_id = as_uuid(row.request_id)
    shown = json.loads(penstock("dlq", "show", shown_id, "--json").stdout)
    assert shown["request_id"] == row.request_id
    again = json.loads(penstock("dlq", "redrive", shown_id, "--yes", "--json").stdout)
    assert again == [{"request_id": row.request_id, "outcome": "queued again"}]

    dropped = as_uuid(stack.poison().request_id)
    (gone,) = json.loads(penstock("dlq", "drop", dropped, "--yes", "--json").stdout)
    assert gone["outcome"] == "dropped"


def test_an_id_without_a_letter_is_said_and_fails_the_command(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    stack.poison()
    done = penstock("dlq", "redrive", "f" * 32, "--yes", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == [{"request_id": "f" * 32, "outcome": "no letter"}]
    assert stack.letters() == 1


def test_a_letter_that_cannot_be_read_stays(penstock: CommandLine, stack: StackInMemory) -> None:
    stack.world.dead_letters["ocr-1"].receive_moved("garbage")
    done = penstock("dlq", "redrive", "--all", "--yes", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == [{"request_id": None, "outcome": "unreadable"}]
    assert stack.letters() == 1


def test_a_dropped_letter_leaves_its_request_as_it_ended(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.poison()
    assert penstock("dlq", "drop", row.request_id, "--yes").exit_code == 0
    assert stack.world.row(row.request_id).state is RequestState.FAILED
    assert stack.letters() == 0


@pytest.mark.parametrize("verb", ["redrive", "drop"])
def test_nothing_happens_without_a_yes(
    penstock: CommandLine, stack: StackInMemory, verb: str
) -> None:
    row = stack.poison()
    done = penstock("dlq", verb, "--all", input="n\n")
    assert done.exit_code == 1
    assert "about 1 request(s)" in done.stderr
    assert stack.letters() == 1
    assert stack.world.row(row.request_id).state is RequestState.FAILED


def test_ids_and_all_exclude_each_other(penstock: CommandLine) -> None:
    assert penstock("dlq", "redrive").exit_code == 2
    assert penstock("dlq", "drop", "f" * 32, "--all").exit_code == 2


def test_letters_that_a_sweep_looks_at_are_waited_for(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.poison()
    stack.world.dead_letters["ocr-1"].look(10, 12)
    done = penstock("dlq", "redrive", row.request_id, "--yes")
    assert done.exit_code == 0
    assert "waiting" in done.stderr
    assert stack.world.row(row.request_id).state is RequestState.QUEUED


def test_letters_that_nobody_else_holds_are_not_waited_for(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    stack.poison()
    assert penstock("dlq", "list").exit_code == 0
    assert stack.paused_seconds == 0


def test_a_redrive_removes_no_document_of_a_later_end(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.poison()
    stack.world.requests.reopen(row.request_id)
    held = stack.world.requests.claim(row.request_id, "worker", 30)
    later = stack.world.results.put_failure(row.request_id, b"later", attempt=held.attempt)
    assert penstock("dlq", "redrive", row.request_id, "--yes").exit_code == 0
    assert stack.world.results.read(later) == b"later"
