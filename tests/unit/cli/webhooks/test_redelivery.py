"""Sending webhooks again that were given up."""

import json
from typing import Any

import pytest

from penstock.contracts.notification import Notification
from penstock.contracts.request import AsyncRequest, RequestId, WebhookStatus
from tests.unit.cli.conftest import CommandLine
from tests.unit.cli.webhooks.conftest import URL, StackInMemory


def outcomes(stdout: str) -> dict[str | None, str]:
    done: list[dict[str, Any]] = json.loads(stdout)
    return {each["request_id"]: each["outcome"] for each in done}


def check_started_over(stack: StackInMemory, *rows: AsyncRequest) -> None:
    assert stack.queue.sent == [Notification.of(row) for row in rows]
    for row in rows:
        now = stack.world.row(row.request_id)
        assert (now.webhook_status, now.webhook_attempts) == (WebhookStatus.PENDING, 0)


def test_a_webhook_starts_over_and_leaves_the_dead_letters(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row, other = stack.given_up(), stack.given_up()

    done = penstock("webhooks", "redeliver", row.request_id, "--yes", "--json")

    assert done.exit_code == 0
    assert outcomes(done.stdout) == {row.request_id: "sent"}
    check_started_over(stack, row)
    stack.world.clock.advance(300)
    (left,) = stack.letters.look(10, 0)
    assert left.request_id == other.request_id


def test_all_that_were_given_up_start_over(penstock: CommandLine, stack: StackInMemory) -> None:
    rows = [stack.given_up() for _ in range(25)]

    done = penstock("webhooks", "redeliver", "--all-failed", "--yes", "--json")

    assert outcomes(done.stdout) == {row.request_id: "sent" for row in rows}
    check_started_over(stack, *rows)
    assert stack.letters.count() == 0
    assert done.stderr.splitlines()[-1] == f"25/25 {rows[-1].request_id} sent"


def test_nobody_is_sent_a_webhook_without_a_yes(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    stack.given_up()
    done = penstock("webhooks", "redeliver", "--all-failed", input="n\n")
    assert done.exit_code == 1
    assert "Send about 1 webhook(s) again?" in done.stderr
    assert stack.queue.sent == []
    assert penstock("webhooks", "redeliver", "--all-failed", input="y\n").exit_code == 0
    assert len(stack.queue.sent) == 1


def test_a_webhook_that_fails_again_meanwhile_is_not_sent_for_ever(
    penstock: CommandLine, stack: StackInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = stack.given_up()
    send = stack.queue.send

    def fail_at_once(notification: Notification) -> None:
        send(notification)
        stack.letters.receive_moved(notification.model_dump_json())

    monkeypatch.setattr(stack.queue, "send", fail_at_once)
    done = penstock("webhooks", "redeliver", "--all-failed", "--yes", "--json")
    assert outcomes(done.stdout) == {row.request_id: "sent"}
    assert len(stack.queue.sent) == 1
    assert stack.letters.count() == 1


def test_a_letter_whose_webhook_was_delivered_is_only_dropped(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.given_up()
    stack.world.requests.record_webhook(row, WebhookStatus.SUCCEEDED)
    done = penstock("webhooks", "redeliver", "--all-failed", "--yes", "--json")
    assert done.exit_code == 0
    assert outcomes(done.stdout) == {row.request_id: "delivered before"}
    assert stack.queue.sent == []
    assert stack.letters.count() == 0


def test_a_webhook_that_was_delivered_is_sent_again_by_its_id(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    row = stack.world.succeeded(b"1", webhook=URL)
    stack.world.requests.record_webhook(row, WebhookStatus.SUCCEEDED)
    assert penstock("webhooks", "redeliver", row.request_id, "--yes").exit_code == 0
    check_started_over(stack, row)


def test_what_has_no_webhook_to_send_is_named(penstock: CommandLine, stack: StackInMemory) -> None:
    world = stack.world
    rows = {
        "no webhook": world.succeeded(b"1").request_id,
        "not ended": world.running(URL).request_id,
        "canceled": world.requests.cancel(world.accepted(URL).request_id).request_id,
        "unknown request": RequestId("f" * 32),
    }
    done = penstock("webhooks", "redeliver", *rows.values(), "--yes", "--json")
    assert done.exit_code == 1
    assert outcomes(done.stdout) == {request_id: name for name, request_id in rows.items()}
    assert stack.queue.sent == []


def test_a_letter_that_nobody_can_read_or_knows_stays(
    penstock: CommandLine, stack: StackInMemory
) -> None:
    stack.letters.receive_moved("not a notification")
    forgotten = Notification.of(stack.world.succeeded(b"1", webhook=URL))
    forgotten = forgotten.model_copy(update={"request_id": RequestId("f" * 32)})
    stack.letters.receive_moved(forgotten.model_dump_json())

    done = penstock("webhooks", "redeliver", "--all-failed", "--yes", "--json")

    assert done.exit_code == 1
    assert outcomes(done.stdout) == {None: "unreadable", "f" * 32: "unknown request"}
    assert stack.letters.count() == 2


@pytest.mark.parametrize("arguments", [(), ("a" * 32, "--all-failed")])
def test_either_ids_or_all_are_asked_for(penstock: CommandLine, arguments: tuple[str, ...]) -> None:
    done = penstock("webhooks", "redeliver", *arguments)
    assert done.exit_code == 2
    assert "--all-failed" in done.stderr
