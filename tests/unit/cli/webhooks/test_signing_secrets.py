"""Rotating and showing what webhooks are signed with."""

import json
from datetime import datetime, timedelta

import pytest

from penstock.contracts.ports.clock import utc_now
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.webhooks.conftest import StackInMemory


def active(stack: StackInMemory, after: timedelta = timedelta(0)) -> list[str]:
    return list(stack.secrets.stored.active(utc_now() + after))


@pytest.mark.spec("baseten", 28)
def test_a_rotation_prints_the_new_secret_and_keeps_the_old_for_a_day(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    done = penstock("webhooks", "secrets", "rotate", "--yes")

    new = done.stdout.strip()
    assert new.startswith("whsec_")
    assert new not in done.stderr
    assert active(stack) == [new, "whsec_first"]
    assert active(stack, timedelta(hours=23, minutes=59)) == [new, "whsec_first"]
    assert active(stack, timedelta(hours=24)) == [new]


@pytest.mark.parametrize(("kept", "still"), [("30m", ["whsec_first"]), ("0", [])])
def test_the_old_secret_ends_when_it_is_told_to(
    penstock: CommandLine, stack: StackInMemory, kept: str, still: list[str]
) -> None:
    done = penstock("webhooks", "secrets", "rotate", "--keep-old", kept, "--yes", "--json")
    rotated = json.loads(done.stdout)
    assert active(stack) == [rotated["secret"], *still]
    assert [each["secret"] for each in rotated["others"]] == ["…irst"] * len(still)
    for each in rotated["others"]:
        ends_in = datetime.fromisoformat(each["expires_at"]) - utc_now()
        assert timedelta(minutes=29) < ends_in <= timedelta(minutes=30)


def test_a_rotation_asks_first_and_says_which_secrets_end_at_once(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    penstock("webhooks", "secrets", "rotate", "--yes")
    before = stack.secrets.stored

    done = penstock("webhooks", "secrets", "rotate", input="n\n")

    assert done.exit_code == 1
    assert "1 active secret(s) end at once." in done.stderr
    assert stack.secrets.stored == before


@pytest.mark.parametrize("kept", ["soon", "-1h", "1"])
def test_a_time_that_is_none_is_refused(
    penstock: CommandLine, stack: StackInMemory, kept: str
) -> None:
    done = penstock("webhooks", "secrets", "rotate", "--keep-old", kept, "--yes")
    assert done.exit_code == 2
    assert active(stack) == ["whsec_first"]


def test_secrets_are_shown_by_their_ends(penstock: CommandLine) -> None:
    new = penstock("webhooks", "secrets", "rotate", "--yes").stdout.strip()

    shown = penstock("webhooks", "secrets", "show").stdout.splitlines()

    assert [line.split()[0] for line in shown] == [f"…{new[-4:]}", "…irst"]
    assert shown[0].endswith("does not expire")


def test_secrets_are_shown_in_full_to_who_asks_for_it(penstock: CommandLine) -> None:
    shown = json.loads(penstock("webhooks", "secrets", "show", "--reveal", "--json").stdout)
    assert shown == [{"secret": "whsec_first", "expires_at": None}]


def test_a_stack_without_a_secret_is_told_of(penstock: CommandLine, stack: StackInMemory) -> None:
    stack.secrets.stored = stack.secrets.stored.model_copy(update={"secrets": ()})
    assert "no webhook is sent until there is one" in penstock("webhooks", "secrets", "show").stderr


def test_no_sample_is_sent_without_a_secret(penstock: CommandLine, stack: StackInMemory) -> None:
    stack.secrets.stored = stack.secrets.stored.model_copy(update={"secrets": ()})

    done = penstock("webhooks", "test", "https://hooks.example.com/done")

    assert (done.exit_code, stack.receivers.posts) == (2, [])
    assert "no active signing secret" in done.stderr
