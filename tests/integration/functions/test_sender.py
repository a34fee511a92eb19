"""POSTing webhooks over real sockets."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from functions.webhooks.sender import (
    ForbiddenTargetError,
    HttpsWebhookSender,
    UnreachableReceiverError,
)
from tests.integration.functions.receiver import Receiver, a_receiver

pytestmark = pytest.mark.integration

SENDER = HttpsWebhookSender(timeout_seconds=5, allow_local=True)
IMPATIENT = HttpsWebhookSender(timeout_seconds=0.2, allow_local=True)


def a_certificate_of_our_own(folder: Path) -> Path:
    """Write a key and the certificate for 127.0.0.1 that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    written = folder / "certificate.pem"
    written.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return written


def test_body_and_headers_arrive_as_they_are(receiver: Receiver) -> None:
    body = '{"data":"é"}'.encode()
    assert SENDER.send(f"{receiver.url}/200", body, {"X-Event": "e1", "User-Agent": "us"}) == 200
    assert receiver.bodies == [body]
    assert receiver.headers[0]["X-Event"] == "e1"
    assert receiver.headers[0]["User-Agent"] == "us"


@pytest.mark.parametrize("status", [204, 301, 307, 303, 429, 500, 503])
def test_any_status_is_returned_without_redirect_or_repeat(receiver: Receiver, status: int) -> None:
    assert SENDER.send(f"{receiver.url}/{status}", b"{}", {}) == status
    assert len(receiver.bodies) == 1


def test_a_silent_receiver_is_left_after_the_timeout(receiver: Receiver) -> None:
    with pytest.raises(UnreachableReceiverError, match="ReadTimeoutError"):
        IMPATIENT.send(f"{receiver.url}/silent", b"{}", {})


def test_an_answer_without_an_end_is_not_waited_for(receiver: Receiver) -> None:
    assert IMPATIENT.send(f"{receiver.url}/200", b"{}", {}) == 200


def test_a_closed_port_is_unreachable() -> None:
    with a_receiver() as gone:
        url = f"{gone.url}/200"
    with pytest.raises(UnreachableReceiverError):
        SENDER.send(url, b"{}", {})


def test_proxies_of_the_environment_are_not_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert SENDER.send(f"{receiver.url}/200", b"{}", {}) == 200


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(a_certificate_of_our_own(tmp_path))
    with a_receiver(tls) as receiver:
        with pytest.raises(UnreachableReceiverError, match="CERTIFICATE_VERIFY_FAILED"):
            SENDER.send(f"{receiver.url}/200", b"{}", {})
        assert receiver.bodies == []


def test_a_forbidden_target_is_not_called(receiver: Receiver) -> None:
    careful = HttpsWebhookSender(timeout_seconds=5, allow_local=False)
    with pytest.raises(ForbiddenTargetError):
        careful.send(f"{receiver.url}/200", b"{}", {})
    assert receiver.bodies == []
