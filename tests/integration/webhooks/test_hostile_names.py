"""Names whose servers lie, asked the way the machine asks."""

import ssl

import dns.rcode
import pytest

from penstock.adapters.webhooks.sender import PinnedWebhookSender
from penstock.contracts.http.webhook_url import ForbiddenTargetError, WebhookRules, WebhookUrl
from penstock.contracts.ports.webhooks import UnreachableReceiverError
from tests.integration.webhooks.conftest import INTERNAL, NAME, PUBLIC, Identity
from tests.integration.webhooks.name_server import Answers, Records, asked_by_this_machine
from tests.integration.webhooks.receivers import Server, answering, serving

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("public_loopback")]

TAKEN = answering("200 OK")
METADATA = "169.254.169.254"


def url_of(server: Server) -> WebhookUrl:
    return WebhookRules(ports=[server.port]).read(f"https://{NAME}:{server.port}/")


def always(*records: tuple[str, str, str]) -> Answers:
    """Answer with those records that are of the asked type, and with every alias."""

    def answers(_name: str, kind: str, _number: int) -> Records:
        return [record for record in records if record[1] in {kind, "CNAME"}]

    return answers


@pytest.mark.parametrize(
    "records",
    [
        [(NAME, "A", METADATA)],
        [(NAME, "A", PUBLIC), (NAME, "A", METADATA)],
        [(NAME, "A", METADATA), (NAME, "A", PUBLIC)],
        [(NAME, "A", PUBLIC), (NAME, "AAAA", "fd00:ec2::254")],
        [(NAME, "A", PUBLIC), (NAME, "AAAA", "::1")],
        [(NAME, "AAAA", f"::ffff:{METADATA}")],
        [(NAME, "AAAA", "::ffff:8.8.8.8")],
        [(NAME, "AAAA", "64:ff9b::a9fe:a9fe")],
        [(NAME, "AAAA", "2002:a9fe:a9fe::1")],
        [(NAME, "AAAA", "fe80::1")],
        [(NAME, "CNAME", "a.example.com."), ("a.example.com", "A", "10.0.0.1")],
        [
            (NAME, "CNAME", "a.example.net."),
            ("a.example.net", "CNAME", "b.example.org."),
            ("b.example.org", "CNAME", "localhost."),
            ("localhost", "A", "127.0.0.1"),
        ],
    ],
)
def test_a_name_that_leads_inside_on_any_way_is_not_called(
    trust: ssl.SSLContext, identity: Identity, records: Records
) -> None:
    sender = PinnedWebhookSender(timeout_seconds=5, tls=trust)
    with (
        serving(TAKEN, tls=identity(NAME), address=PUBLIC) as server,
        asked_by_this_machine(always(*records)),
    ):
        with pytest.raises(ForbiddenTargetError, match=f"{NAME} leads to "):
            sender.send(url_of(server), b"{}", {})
        assert server.connections == 0


def test_a_chain_of_names_that_stays_outside_is_called_by_its_first_name(
    trust: ssl.SSLContext, identity: Identity
) -> None:
    chain = always((NAME, "CNAME", "edge.example.net."), ("edge.example.net", "A", PUBLIC))
    sender = PinnedWebhookSender(timeout_seconds=5, tls=trust)
    with (
        serving(TAKEN, tls=identity(NAME), address=PUBLIC) as server,
        asked_by_this_machine(chain),
    ):
        assert sender.send(url_of(server), b"{}", {}).status == 200
        assert server.names == [NAME]


def test_a_name_that_leads_elsewhere_at_every_question_is_asked_once_for_each_call(
    trust: ssl.SSLContext, identity: Identity
) -> None:
    def rebinding(_name: str, kind: str, number: int) -> Records:
        address = PUBLIC if number == 1 else INTERNAL
        return [(NAME, "A", address)] if kind == "A" else []

    sender = PinnedWebhookSender(timeout_seconds=5, tls=trust)
    with (
        serving(TAKEN, tls=identity(NAME), address=PUBLIC) as server,
        serving(TAKEN, tls=identity(NAME), address=INTERNAL, port=server.port) as internal,
        asked_by_this_machine(rebinding) as name_server,
    ):
        assert sender.send(url_of(server), b"{}", {}).status == 200
        assert sorted(name_server.asked) == [(NAME, "A"), (NAME, "AAAA")]
        with pytest.raises(ForbiddenTargetError, match=INTERNAL):
            sender.send(url_of(server), b"{}", {})
        assert (server.connections, internal.connections) == (1, 0)


@pytest.mark.parametrize("answer", [dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, dns.rcode.REFUSED, []])
def test_a_name_without_an_address_may_have_one_later(answer: Records | dns.rcode.Rcode) -> None:
    url = WebhookRules().read(f"https://{NAME}/")
    sender = PinnedWebhookSender(timeout_seconds=5)
    with (
        asked_by_this_machine(lambda *_: answer),
        pytest.raises(UnreachableReceiverError, match=f"{NAME} has no address"),
    ):
        sender.send(url, b"{}", {})


def test_a_name_server_that_keeps_silent_does_not_keep_us() -> None:
    url = WebhookRules().read(f"https://{NAME}/")
    sender = PinnedWebhookSender(timeout_seconds=0.2)
    with (
        asked_by_this_machine(lambda *_: None),
        pytest.raises(UnreachableReceiverError, match=r"did not answer within 0\.2 s"),
    ):
        sender.send(url, b"{}", {})
