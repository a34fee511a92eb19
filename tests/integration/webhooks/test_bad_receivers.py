"""What becomes of a webhook whose receiver is bad."""

import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from functions.webhooks.service import Attempt, Verdict
from penstock.adapters.webhooks.sender import PinnedWebhookSender
from penstock.contracts.request import WebhookStatus
from tests.integration.webhooks.conftest import Identity
from tests.integration.webhooks.receivers import Behaviour, Call, answering, serving
from tests.unit.functions.webhooks.deliveries import Webhooks
from tests.unit.functions.world import World

pytestmark = pytest.mark.integration

PATIENT_SECONDS, IMPATIENT_SECONDS = 10, 0.3
LATE = "it did not answer within 0.3 s"
HOST = "127.0.0.1"


def reset(call: Call) -> None:
    call.read()
    call.reset()


def close(call: Call) -> None:
    call.read()


def never_read(call: Call) -> None:
    call.say_nothing()


def hang_before_the_head(call: Call) -> None:
    call.read()
    call.say_nothing()


def hang_within_the_head(call: Call) -> None:
    call.read()
    call.answer(b"HTTP/1.1 200 OK\r\nServer: slo")
    call.say_nothing()


def trickle(call: Call) -> None:
    call.read()
    call.answer(b"HTTP/1.1 200 OK\r\nX-Never-Ends: ")
    call.answer_for_ever(b"a", every_seconds=0.01)


def answer_a_long_line(call: Call) -> None:
    call.read()
    call.answer(b"HTTP/1.1 200 OK\r\nX-Long: ")
    call.answer_for_ever(b"a" * 1_000)


def answer_many_lines(call: Call) -> None:
    call.read()
    call.answer(b"HTTP/1.1 200 OK\r\n")
    call.answer_for_ever(b"X-Many: a\r\n" * 10)


def answer_continue_for_ever(call: Call) -> None:
    call.read()
    call.answer_for_ever(b"HTTP/1.1 100 Continue\r\n\r\n" * 10)


def speak_ssh(call: Call) -> None:
    call.answer(b"SSH-2.0-OpenSSH_9.6\r\n")
    call.read()


def answer_without_end(call: Call) -> None:
    call.read()
    call.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
    call.answer_for_ever(b"a" * 1_000)


def answer_200_and_trickle(call: Call) -> None:
    call.read()
    call.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    call.answer_for_ever(b"1\r\na\r\n", every_seconds=0.01)


REFUSING: list[tuple[Behaviour, str]] = [
    (reset, "the connection failed: Connection reset by peer"),
    (close, "it closed the connection without an answer"),
    (answer_a_long_line, "the head of its answer is too long"),
    (answer_many_lines, "its answer is not HTTP (HTTPException)"),
    (answer_continue_for_ever, "the head of its answer is too long"),
    (speak_ssh, "its answer is not HTTP (BadStatusLine)"),
    (
        answering("301 Moved", "Location: http://169.254.169.254/"),
        "the receiver answered 301: redirects are not followed",
    ),
    (answering("404 Not Found"), "the receiver answered 404"),
    (answering("429 Too Many Requests", "Retry-After: 90"), "the receiver answered 429"),
    (answering("500 Internal Server Error", body=b"Traceback"), "the receiver answered 500"),
]
HANGING = [hang_before_the_head, hang_within_the_head, trickle]
TAKING = [
    answering("200 OK", "Content-Type: image/png", body=b"\x89PNG no such thing"),
    answering("204 No Content"),
    answer_without_end,
    answer_200_and_trickle,
]


@dataclass
class Sending:
    """Webhooks over real sockets to receivers on loopback."""

    world: World
    tls: ssl.SSLContext
    limit_seconds: float = PATIENT_SECONDS

    def webhooks(self, *, max_attempts: int = 8, max_body_bytes: int = 5_000_000) -> Webhooks:
        return Webhooks(
            self.world,
            sender=PinnedWebhookSender(timeout_seconds=self.limit_seconds, tls=self.tls),
            max_attempts=max_attempts,
            max_body_bytes=max_body_bytes,
            allow_local=True,
        )

    def check_not_taken(self, url: str, reason: str) -> None:
        """One attempt of several leaves the webhook waiting, a last one gives it up."""
        row = self.world.succeeded(b"1", webhook=url)
        webhooks = self.webhooks()
        assert webhooks.deliver(row) == Attempt(Verdict.DELAYED, reason)
        assert webhooks.status_of(row) is WebhookStatus.PENDING
        assert len(webhooks.queue.hidden) == 1

        webhooks = self.webhooks(max_attempts=2)
        assert webhooks.deliver(row) == Attempt(Verdict.EXHAUSTED, reason)
        assert webhooks.status_of(row) is WebhookStatus.FAILED
        assert [why for _, why in webhooks.queue.buried] == [f"exhausted: {reason}"]


@pytest.fixture
def sending(world: World, trust: ssl.SSLContext) -> Sending:
    return Sending(world, trust)


@pytest.fixture
def impatient(world: World, trust: ssl.SSLContext) -> Sending:
    return Sending(world, trust, IMPATIENT_SECONDS)


@pytest.mark.parametrize(
    ("behaviour", "reason"), REFUSING, ids=[f"{number}" for number in range(len(REFUSING))]
)
def test_what_a_bad_receiver_does_is_tried_again_and_at_last_given_up(
    sending: Sending, behaviour: Behaviour, reason: str
) -> None:
    with serving(behaviour) as server:
        sending.check_not_taken(f"http://{HOST}:{server.port}/", reason)
        assert server.connections == 2


@pytest.mark.spec("baseten", 31)
@pytest.mark.parametrize("behaviour", HANGING, ids=range(len(HANGING)))
def test_a_receiver_that_does_not_come_to_an_end_is_left(
    impatient: Sending, behaviour: Behaviour
) -> None:
    with serving(behaviour) as server:
        began = time.monotonic()
        impatient.check_not_taken(f"http://{HOST}:{server.port}/", LATE)
        assert time.monotonic() - began < 5


def test_a_receiver_that_listens_no_more_is_tried_again(sending: Sending) -> None:
    with serving(close) as server:
        url = f"http://{HOST}:{server.port}/"
    sending.check_not_taken(url, f"no connection to {HOST}: Connection refused")


def test_a_receiver_that_never_reads_a_large_body_is_left(impatient: Sending) -> None:
    webhooks = impatient.webhooks(max_body_bytes=50_000_000)
    large = b'"' + b"x" * 20_000_000 + b'"'
    with serving(never_read) as server:
        row = impatient.world.succeeded(large, webhook=f"http://{HOST}:{server.port}/")
        assert webhooks.deliver(row) == Attempt(Verdict.DELAYED, LATE)


@pytest.mark.parametrize("behaviour", TAKING, ids=range(len(TAKING)))
def test_a_success_counts_whatever_comes_with_it(sending: Sending, behaviour: Behaviour) -> None:
    with serving(behaviour) as server:
        row = sending.world.succeeded(b"1", webhook=f"http://{HOST}:{server.port}/")
        webhooks = sending.webhooks()
        assert webhooks.deliver(row) == Attempt(Verdict.DELIVERED)
        assert webhooks.status_of(row) is WebhookStatus.SUCCEEDED


def test_a_receiver_that_is_gone_is_never_called_again(sending: Sending) -> None:
    with serving(answering("410 Gone")) as server:
        row = sending.world.succeeded(b"1", webhook=f"http://{HOST}:{server.port}/")
        webhooks = sending.webhooks()
        verdicts = [webhooks.deliver(row).verdict for _ in range(2)]
        assert verdicts == [Verdict.GONE, Verdict.OBSOLETE]
        assert server.connections == 1
        assert webhooks.status_of(row) is WebhookStatus.FAILED


def test_a_receiver_is_left_alone_as_long_as_it_asks(sending: Sending) -> None:
    with serving(answering("429 Too Many Requests", "Retry-After: 900")) as server:
        row = sending.world.succeeded(b"1", webhook=f"http://{HOST}:{server.port}/")
        webhooks = sending.webhooks()
        webhooks.deliver(row)
        assert webhooks.delays() == [900]


def test_a_certificate_for_another_name_is_not_believed(
    sending: Sending, identity: Identity
) -> None:
    with serving(answering("200 OK"), tls=identity("hooks.example.com")) as server:
        reason = (
            f"its certificate is not valid for {HOST}: IP address mismatch, certificate is not"
            f" valid for '{HOST}'."
        )
        sending.check_not_taken(f"https://{HOST}:{server.port}/", reason)
        assert server.requests == []


def test_a_certificate_that_expired_is_not_believed(sending: Sending, identity: Identity) -> None:
    now = datetime.now(UTC)
    expired = identity(HOST, not_before=now - timedelta(days=2), not_after=now - timedelta(days=1))
    with serving(answering("200 OK"), tls=expired) as server:
        reason = f"its certificate is not valid for {HOST}: certificate has expired"
        sending.check_not_taken(f"https://{HOST}:{server.port}/", reason)
        assert server.requests == []


def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    sending: Sending, identity: Identity
) -> None:
    nobody = trustme.CA()
    with serving(answering("200 OK"), tls=identity(HOST, issuer=nobody)) as server:
        reason = f"its certificate is not valid for {HOST}: unable to get local issuer certificate"
        sending.check_not_taken(f"https://{HOST}:{server.port}/", reason)
        assert server.requests == []


def test_a_receiver_without_tls_is_not_spoken_to(sending: Sending) -> None:
    with serving(speak_ssh) as server:
        row = sending.world.succeeded(b"1", webhook=f"https://{HOST}:{server.port}/")
        attempt = sending.webhooks().deliver(row)
        assert attempt.verdict is Verdict.DELAYED
        assert attempt.reason.startswith("the connection failed: [SSL")
        assert server.requests == []


def test_a_handshake_that_hangs_is_left(impatient: Sending) -> None:
    with serving(never_read) as server:
        impatient.check_not_taken(f"https://{HOST}:{server.port}/", LATE)
