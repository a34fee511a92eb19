"""The socket goes to the address that was looked at, while everything said is the name's."""

import socket
import ssl
from collections.abc import Sequence

import pytest

from penstock.adapters.webhooks.sender import PinnedWebhookSender
from penstock.contracts.http.webhook_url import ForbiddenTargetError, WebhookRules, WebhookUrl
from penstock.contracts.ports.webhooks import ReceiverAnswer, UnreachableReceiverError
from tests.integration.webhooks.conftest import INTERNAL, NAME, PUBLIC, PUBLIC_TOO, Identity
from tests.integration.webhooks.receivers import Server, answering, serving

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("public_loopback")]

TAKEN = answering("200 OK")


class Resolver:
    """Gives these answers one after the other."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = [*answers]
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0)


def url_of(server: Server, name: str = NAME) -> WebhookUrl:
    return WebhookRules(ports=[server.port]).read(f"https://{name}:{server.port}/done?a=1")


def test_name_and_certificate_are_the_names_and_the_connection_the_addresss(
    trust: ssl.SSLContext, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[object] = []
    resolver = Resolver([PUBLIC])
    sender = PinnedWebhookSender(timeout_seconds=5, resolve=resolver, tls=trust)
    with serving(TAKEN, tls=identity(NAME), address=PUBLIC) as server:
        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", lambda *asked, **_: looked_up.append(asked))
            answer = sender.send(url_of(server), b'{"data":"\xc3\xa9"}', {"X-Event": "e1"})

        assert answer == ReceiverAnswer(200)
        assert server.names == [NAME]
        (request,) = server.requests
        head, _, body = request.partition(b"\r\n\r\n")
        first, *headers = head.decode().splitlines()
        assert first == "POST /done?a=1 HTTP/1.1"
        assert dict(line.split(": ", 1) for line in headers) == {
            "Host": f"{NAME}:{server.port}",
            "Accept-Encoding": "identity",
            "Content-Length": "13",
            "X-Event": "e1",
            "Connection": "close",
        }
        assert body == b'{"data":"\xc3\xa9"}'
    assert resolver.asked == [NAME]
    assert looked_up == []


def test_a_name_that_changes_after_the_check_is_not_asked_again(
    trust: ssl.SSLContext, identity: Identity
) -> None:
    resolver = Resolver([PUBLIC], [INTERNAL])
    sender = PinnedWebhookSender(timeout_seconds=5, resolve=resolver, tls=trust)
    with (
        serving(TAKEN, tls=identity(NAME), address=PUBLIC) as server,
        serving(TAKEN, tls=identity(NAME), address=INTERNAL, port=server.port) as internal,
    ):
        assert sender.send(url_of(server), b"{}", {}).status == 200
        with pytest.raises(ForbiddenTargetError, match=f"leads to {INTERNAL}"):
            sender.send(url_of(server), b"{}", {})
        assert (server.connections, internal.connections) == (1, 0)
    assert resolver.asked == [NAME, NAME]


def test_an_address_that_takes_no_connection_is_followed_by_the_next(
    trust: ssl.SSLContext, identity: Identity
) -> None:
    resolver = Resolver([PUBLIC_TOO, PUBLIC])
    sender = PinnedWebhookSender(timeout_seconds=5, resolve=resolver, tls=trust)
    with serving(TAKEN, tls=identity(NAME), address=PUBLIC) as server:
        assert sender.send(url_of(server), b"{}", {}).status == 200
        assert len(server.requests) == 1


def test_not_every_address_of_a_name_is_tried(trust: ssl.SSLContext, identity: Identity) -> None:
    resolver = Resolver([PUBLIC_TOO] * 3 + [PUBLIC])
    sender = PinnedWebhookSender(timeout_seconds=5, resolve=resolver, tls=trust)
    with serving(TAKEN, tls=identity(NAME), address=PUBLIC) as server:
        with pytest.raises(UnreachableReceiverError, match="Connection refused"):
            sender.send(url_of(server), b"{}", {})
        assert server.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(trust: ssl.SSLContext, identity: Identity, status: int) -> None:
    sender = PinnedWebhookSender(timeout_seconds=5, resolve=Resolver([PUBLIC]), tls=trust)
    with serving(TAKEN, address=INTERNAL) as inside:
        location = f"Location: http://{INTERNAL}:{inside.port}/"
        elsewhere = answering(f"{status} Elsewhere", location)
        with serving(elsewhere, tls=identity(NAME), address=PUBLIC) as server:
            assert sender.send(url_of(server), b"{}", {}).status == status
            assert server.connections == 1
        assert inside.connections == 0


def test_no_cookie_is_kept_and_no_proxy_of_the_environment_asked(
    trust: ssl.SSLContext, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    resolver = Resolver([PUBLIC], [PUBLIC])
    sender = PinnedWebhookSender(timeout_seconds=5, resolve=resolver, tls=trust)
    setting = answering("200 OK", "Set-Cookie: a=b; Path=/")
    with serving(setting, tls=identity(NAME), address=PUBLIC) as server:
        for _ in range(2):
            assert sender.send(url_of(server), b"{}", {}).status == 200
        assert not [request for request in server.requests if b"cookie" in request.lower()]


def test_the_wish_to_be_left_alone_is_handed_on(trust: ssl.SSLContext, identity: Identity) -> None:
    sender = PinnedWebhookSender(timeout_seconds=5, resolve=Resolver([PUBLIC]), tls=trust)
    busy = answering("429 Too Many Requests", "Retry-After: 120")
    with serving(busy, tls=identity(NAME), address=PUBLIC) as server:
        assert sender.send(url_of(server), b"{}", {}) == ReceiverAnswer(429, "120")


@pytest.mark.parametrize("other", ["evil.example.com", PUBLIC])
def test_a_certificate_for_another_name_or_the_address_is_refused(
    trust: ssl.SSLContext, identity: Identity, other: str
) -> None:
    sender = PinnedWebhookSender(timeout_seconds=5, resolve=Resolver([PUBLIC]), tls=trust)
    with serving(TAKEN, tls=identity(other), address=PUBLIC) as server:
        with pytest.raises(UnreachableReceiverError, match=f"not valid for {NAME}: .*mismatch"):
            sender.send(url_of(server), b"{}", {})
        assert server.requests == []
