import os
from pathlib import Path

import pytest

from penstock.local.logs import LogReader, NoSuchLogError
from penstock.local.state import StackStatus, StateFolder
from penstock.local.supervisor import AlreadyRunningError, Supervisor, bring_down, take_over


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder.at(tmp_path / "local")


def test_one_state_folder_has_one_supervisor(state: StateFolder) -> None:
    take_over(state)

    with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}.*penstock local down"):
        take_over(state)


def test_a_later_process_with_the_same_id_is_no_supervisor(state: StateFolder) -> None:
    take_over(state)
    state.write(state.supervisor, Supervisor(pid=os.getpid(), created_at=1))

    assert Supervisor.find(state) is None
    assert bring_down(state) == 0


def test_a_new_stack_forgets_all_of_the_last_one_but_its_own_log(state: StateFolder) -> None:
    take_over(state)
    for file in (state.running_stack, state.events, state.supervisor_log, state.scratch / "x"):
        file.write_text("old")
    state.supervisor.unlink()
    take_over(state)

    assert not state.running_stack.exists()
    assert not state.events.exists()
    assert not list(state.scratch.iterdir())
    assert state.supervisor_log.read_text() == "old"


def test_what_is_written_is_for_the_owner_only(state: StateFolder) -> None:
    take_over(state)
    state.write(state.status, StackStatus(models=(), deployments=()))

    assert state.status.stat().st_mode & 0o077 == 0
    assert list(state.path.glob("tmp*")) == []


def test_logs_are_read_from_their_last_lines_on(tmp_path: Path) -> None:
    first, second = tmp_path / "echo-v1-1.dispatcher.log", tmp_path / "ministack.log"
    first.write_text("one\ntwo\nthr")
    second.write_text("up\n")
    reader = LogReader(tmp_path, "")
    assert list(reader.last(1)) == ["echo-v1-1.dispatcher | two", "ministack | up"]

    first.write_text("one\ntwo\nthree\n")
    (tmp_path / "new.log").write_text("hello\n")
    assert list(reader.new()) == ["echo-v1-1.dispatcher | three", "new | hello"]


def test_an_unknown_log_is_answered_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "ministack.log").write_text("")
    with pytest.raises(NoSuchLogError, match="'minicloud'; there are: ministack"):
        list(LogReader(tmp_path, "minicloud").last(1))
