"""What goes through the lanes of a deployment, whatever the family."""

from collections.abc import Sequence

import pytest

from penstock.contracts.errors import QueueGoneError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import ContainerCall, InputLocation
from penstock.contracts.ports.requests import Delivery, QueueDepth
from penstock.contracts.request import RequestId
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import A_RESULT, REQUEST_ID

ODD = "end\ufffeof\uffff\x00\x0b\x7f\x85\ufdd0\U0001fffe\u2028line"
"""SQS refuses some of these, and takes the others."""


def message(number: int = 0) -> QueueMessage:
    inline = QueueMessage.inline(RequestId(f"{number:032x}"), b'{"n": 1}', "application/json")
    assert inline
    return inline


def send(ports: Ports, *numbers: int, priority: int = 0, tenant: str = "acme") -> None:
    for number in numbers:
        ports.queue.send(message(number), priority=priority, tenant=tenant)


def receive(ports: Ports, *, priority: int = 0, max_messages: int = 10) -> Sequence[Delivery]:
    return ports.queue.receive(
        priority=priority, max_messages=max_messages, wait_seconds=0, visible_after_seconds=29.5
    )


def numbers_of(deliveries: Sequence[Delivery]) -> list[int]:
    return [int(delivery.message.request_id, 16) for delivery in deliveries]


@pytest.mark.parametrize(
    "sent",
    [
        message(),
        QueueMessage.inline(REQUEST_ID, b"\xff\x00\xfe", "application/octet-stream"),
        QueueMessage.pointing_to(REQUEST_ID, A_RESULT),
        QueueMessage.inline(REQUEST_ID, ODD.encode(), "text/plain"),
        QueueMessage.reading(REQUEST_ID, InputLocation(bucket="b", key=ODD, content_type=ODD)),
        QueueMessage.inline(REQUEST_ID, b"1", "text/plain", ContainerCall(headers={"X-Odd": ODD})),
    ],
    ids=["text", "binary", "stored", "odd text", "odd key", "odd header"],
)
def test_a_message_arrives_as_it_was_sent(ports: Ports, sent: QueueMessage) -> None:
    ports.queue.send(sent, priority=1, tenant="acme")

    (delivery,) = receive(ports, priority=1)
    assert delivery.message == sent
    assert (delivery.priority, delivery.receive_count) == (1, 1)
    assert delivery.received_at == ports.clock()


def test_a_message_that_is_sent_with_a_delay_is_seen_after_it(ports: Ports) -> None:
    ports.queue.send(message(1), priority=0, tenant="acme", delay_seconds=9.5)
    ports.clock.advance(9.9)  # 9.5 s were rounded up
    assert receive(ports) == []
    ports.clock.advance(0.2)
    assert numbers_of(receive(ports)) == [1]


def test_no_delay_is_longer_than_the_queue_bears(ports: Ports) -> None:
    ports.queue.send(message(1), priority=0, tenant="acme", delay_seconds=43_000)
    ports.clock.advance(900.1)
    assert numbers_of(receive(ports)) == [1]


def test_a_delivery_says_in_whose_fairness_group_it_was_sent(ports: Ports) -> None:
    send(ports, 1, tenant="acme")
    (delivery,) = receive(ports)
    assert delivery.tenant == "acme"


def test_lanes_are_apart_and_each_is_served_in_order(ports: Ports) -> None:
    send(ports, 1, 2, 3)
    send(ports, 4, priority=2)

    assert numbers_of(receive(ports, priority=1)) == []
    assert numbers_of(receive(ports, max_messages=2)) == [1, 2]
    assert numbers_of(receive(ports, max_messages=2)) == [3]
    assert numbers_of(receive(ports, priority=2)) == [4]


def test_a_receive_takes_ten_at_most(ports: Ports) -> None:
    send(ports, *range(12))
    assert numbers_of(receive(ports, max_messages=12)) == list(range(10))


def test_a_received_message_comes_back_when_nobody_settles_it(ports: Ports) -> None:
    send(ports, 1)
    (first,) = receive(ports)
    ports.clock.advance(29.9)  # 29.5 s were rounded up
    assert receive(ports) == []
    ports.clock.advance(0.2)

    (second,) = receive(ports)
    assert (second.message, second.receive_count) == (first.message, 2)
    assert second.receipt != first.receipt


def test_a_hidden_message_stays_away_for_so_long(ports: Ports) -> None:
    send(ports, 1)
    deliveries = receive(ports)
    ports.clock.advance(20)

    assert ports.queue.hide(deliveries, 60.2) == []
    ports.clock.advance(60.9)
    assert receive(ports) == []
    ports.clock.advance(0.2)
    assert numbers_of(receive(ports)) == [1]


def test_a_message_given_back_is_visible_at_once(ports: Ports) -> None:
    send(ports, 1)
    assert ports.queue.hide(receive(ports), 0) == []
    assert numbers_of(receive(ports)) == [1]


def test_a_message_is_never_hidden_longer_than_sqs_allows(ports: Ports) -> None:
    send(ports, 1)
    deliveries = receive(ports)
    ports.clock.advance(20)

    assert ports.queue.hide(deliveries, 43_200) == []
    ports.clock.advance(43_174)
    assert receive(ports) == []
    ports.clock.advance(2)
    assert numbers_of(receive(ports)) == [1]


def test_any_number_of_messages_is_hidden_and_deleted_over_all_lanes(ports: Ports) -> None:
    deliveries: list[Delivery] = []
    for priority, sent in enumerate((12, 1, 23)):
        send(ports, *range(sent), priority=priority)
        while received := receive(ports, priority=priority):
            deliveries += received
    assert len(deliveries) == 36
    assert ports.queue.depth() == QueueDepth(queued=0, in_progress=36)

    assert ports.queue.hide(deliveries, 0) == []
    assert ports.queue.depth() == QueueDepth(queued=36, in_progress=0)
    ports.queue.delete(deliveries)
    assert ports.queue.depth() == QueueDepth(queued=0, in_progress=0)


def test_a_deleted_message_is_no_longer_ours(ports: Ports) -> None:
    send(ports, 1, 2)
    gone, kept = receive(ports)
    ports.queue.delete([gone])

    assert ports.queue.hide([gone, kept], 60) == [gone]
    ports.queue.delete([gone, kept])
    assert ports.queue.depth() == QueueDepth(queued=0, in_progress=0)


def test_the_depth_counts_waiting_and_received_messages_of_all_lanes(ports: Ports) -> None:
    send(ports, 1, 2)
    send(ports, 3, priority=2)
    receive(ports, max_messages=1)
    assert ports.queue.depth() == QueueDepth(queued=2, in_progress=1)


@pytest.mark.parametrize("tenant", ["acme", "Müller & Söhne", "x" * 300, ""])
def test_any_tenant_may_send(ports: Ports, tenant: str) -> None:
    send(ports, 1, tenant=tenant)
    assert numbers_of(receive(ports)) == [1]


def test_any_number_of_messages_is_sent_at_once(ports: Ports) -> None:
    ids = [RequestId(f"{number:032x}") for number in range(23)]
    messages = [QueueMessage(request_id=each, text="{}") for each in ids]
    assert list(ports.queue.send_many(messages, priority=1, tenant="two words")) == []

    received: list[RequestId] = []
    while deliveries := receive(ports, priority=1):
        received += [delivery.message.request_id for delivery in deliveries]
    assert sorted(received) == ids
    assert list(ports.queue.send_many([], priority=1, tenant="acme")) == []


def test_a_removed_queue_says_that_it_has_gone(ports: Ports) -> None:
    ports.remove_queue()
    with pytest.raises(QueueGoneError):
        ports.queue.send(message(), priority=0, tenant="acme")
    with pytest.raises(QueueGoneError):
        ports.queue.send_many([message(1), message(2)], priority=0, tenant="acme")
