"""Where the sender does not even open a socket."""

import socket
import time
from collections.abc import Sequence
from threading import Event

import pytest

from penstock.adapters.webhooks.sender import PinnedWebhookSender
from penstock.contracts.http.webhook_url import ForbiddenTargetError, WebhookRules
from penstock.contracts.ports.webhooks import UnreachableReceiverError
from tests.unit.adapters.webhooks.test_addresses import ELSEWHERE

URL = WebhookRules().read("https://hooks.example.com/")
LOCAL_URL = WebhookRules(allow_local=True).read("http://localhost:8000/")
INSIDE = [address for addresses in ELSEWHERE.values() for address in addresses]


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


class Resolver:
    """Answers the same each time and counts how often."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.addresses


@pytest.mark.parametrize("address", INSIDE)
@pytest.mark.parametrize("others", [(), ("8.8.8.8", "2606:4700::1111")])
def test_a_name_with_any_address_inside_is_not_called(
    address: str, others: tuple[str, ...]
) -> None:
    resolver = Resolver(*others, address)
    sender = PinnedWebhookSender(timeout_seconds=1, resolve=resolver)
    with pytest.raises(ForbiddenTargetError, match=r"^hooks\.example\.com leads to "):
        sender.send(URL, b"{}", {})
    assert resolver.asked == ["hooks.example.com"]


def test_a_local_name_that_leads_elsewhere_is_not_called() -> None:
    sender = PinnedWebhookSender(timeout_seconds=1, resolve=Resolver("127.0.0.1", "8.8.8.8"))
    with pytest.raises(ForbiddenTargetError, match=r"leads to 8\.8\.8\.8, where webhooks are not"):
        sender.send(LOCAL_URL, b"{}", {})


def test_a_name_without_an_address_is_unreachable() -> None:
    with pytest.raises(UnreachableReceiverError, match=r"hooks\.example\.com has no address"):
        PinnedWebhookSender(timeout_seconds=1, resolve=Resolver()).send(URL, b"{}", {})


def test_a_lookup_is_not_waited_for_longer_than_the_limit() -> None:
    end = Event()

    def never(_host: str) -> Sequence[str]:
        end.wait(10)
        return []

    began = time.monotonic()
    with pytest.raises(UnreachableReceiverError, match=r"did not answer within 0\.05 s"):
        PinnedWebhookSender(timeout_seconds=0.05, resolve=never).send(URL, b"{}", {})
    end.set()
    assert time.monotonic() - began < 5
