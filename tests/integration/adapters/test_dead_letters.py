"""What lies in a dead-letter queue, whatever the family."""

import pytest

from penstock.adapters.aws.clients import client
from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import RequestId
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import REQUEST_ID


def a_delivery(ports: Ports, number: int = 0, priority: int = 1) -> Delivery:
    message = QueueMessage(request_id=RequestId(f"{number:032x}"), text='{"n": 1}')
    return Delivery(message, priority, f"receipt-{number}", ports.clock())


def test_a_buried_message_says_why_and_whence(ports: Ports) -> None:
    delivery = a_delivery(ports, 7, priority=2)
    ports.dead_letters.bury(delivery, "MODEL_PREDICT_ERROR: the model raised")

    (letter,) = ports.dead_letters.look(10, hidden_seconds=30)
    assert QueueMessage.decoded(letter.body) == delivery.message
    assert (letter.request_id, letter.priority) == (delivery.message.request_id, 2)
    assert letter.reason == "MODEL_PREDICT_ERROR: the model raised"
    assert abs((letter.sent_at - ports.clock()).total_seconds()) < 1
    assert ports.dead_letters.count() == 1


def test_a_letter_is_hidden_from_others_while_it_is_looked_at(ports: Ports) -> None:
    ports.dead_letters.bury(a_delivery(ports), "reason")

    assert len(ports.dead_letters.look(10, hidden_seconds=29.5)) == 1
    ports.clock.advance(29.9)
    assert ports.dead_letters.look(10, hidden_seconds=30) == []
    assert ports.dead_letters.count() == 1
    ports.clock.advance(0.2)
    assert len(ports.dead_letters.look(10, hidden_seconds=30)) == 1


def test_no_more_letters_come_than_wanted(ports: Ports) -> None:
    for number in range(25):
        ports.dead_letters.bury(a_delivery(ports, number), "reason")

    first = ports.dead_letters.look(12, hidden_seconds=30)
    second = ports.dead_letters.look(100, hidden_seconds=30)
    assert (len(first), len(second)) == (12, 13)
    assert len({letter.request_id for letter in [*first, *second]}) == 25


def test_letters_that_are_put_back_are_seen_at_once(ports: Ports) -> None:
    for number in range(12):
        ports.dead_letters.bury(a_delivery(ports, number), "reason")
    letters = ports.dead_letters.look(100, hidden_seconds=60)
    ports.dead_letters.drop(letters[:1])

    ports.dead_letters.put_back(letters)
    assert len(ports.dead_letters.look(100, hidden_seconds=60)) == 11


def test_dropped_letters_are_gone(ports: Ports) -> None:
    for number in range(12):
        ports.dead_letters.bury(a_delivery(ports, number), "reason")
    letters = ports.dead_letters.look(100, hidden_seconds=30)

    ports.dead_letters.drop(letters[1:])
    assert ports.dead_letters.count() == 1
    ports.dead_letters.drop(letters)
    ports.dead_letters.drop(letters)
    assert ports.dead_letters.count() == 0


@pytest.mark.integration
def test_what_sqs_moved_there_has_neither_reason_nor_lane(aws_ports: Ports) -> None:
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    for body in (QueueMessage(request_id=REQUEST_ID, text="1").encoded(), "not ours"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    letters = aws_ports.dead_letters.look(10, hidden_seconds=30)
    assert {letter.request_id for letter in letters} == {REQUEST_ID, None}
    assert {(letter.priority, letter.reason) for letter in letters} == {(None, "")}


@pytest.mark.integration
def test_a_reason_that_sqs_would_refuse_is_made_to_fit(aws_ports: Ports) -> None:
    aws_ports.dead_letters.bury(a_delivery(aws_ports), "\x00bell\x07" + "x" * 300_000)

    (letter,) = aws_ports.dead_letters.look(10, hidden_seconds=30)
    assert letter.reason.startswith("\ufffdbell\ufffdxxx")
    assert len(letter.reason) == 1_000
