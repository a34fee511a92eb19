"""URLs that webhooks may be sent to."""

import pytest

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.webhook_url import ForbiddenTargetError, WebhookRules, WebhookUrl
from penstock.dialects.webhook_target import check_webhook_target

LOCAL = ("http://localhost:8000/done", "http://127.0.0.1/", "https://[::1]:8443/x")

MALFORMED = (
    "",
    "hooks.example.com/done",
    "//hooks.example.com/done",
    "http://hooks.example.com/done",
    "ftp://hooks.example.com/done",
    "file:///etc/passwd",
    "https://",
    "https:///done",
    "https://user@hooks.example.com/",
    "https://user:secret@hooks.example.com/",
    "https://hooks.example.com\\@10.0.0.1/",
    "https://10.0.0.1\\.example.com/",
    "https://hooks.example.com:99999/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:x/",
    "https://[::1/",
    "https://hooks.example.com/a b",
    " https://hooks.example.com/",
    "https://hooks.exam\nple.com/",
    "https://hooks.example.com/\tdone",
    "https://hooks.example.com/\r\nX-Injected: 1",
    "https://hooks.example.com/\x00",
    "https://hööks.example.com/",
)
PORTS = (
    "https://hooks.example.com:22/",
    "https://hooks.example.com:80/",
    "https://hooks.example.com:6443/",
)
NO_DOMAIN_NAMES = (
    "https://hooks.example.com./",
    "https://intranet/",
    "https://.example.com/",
    "https://hooks..example.com/",
    "https://-hooks.example.com/",
    "https://hooks_.example.com/",
    "https://hooks.example.com%2eevil.com/",
    f"https://{'a' * 64}.example.com/",
    f"https://{'a.' * 126}com/",
)
ADDRESSES = (
    "https://8.8.8.8/x",
    "https://10.0.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://0.0.0.0/",
    "https://0/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.0.0.1./",
    "https://10.1/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0X7F000001/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f.1/",
    "https://127.0.0.0x1/",
    "https://127.0.0.01/",
    "https://0127.0.0.1/",
    "https://256.256.256.256/",
    "https://1.2.3.4.5/",
    "https://hooks.example.0x/",
    "https://%31%32%37.0.0.1/",
    "https://127%2e0%2e0%2e1/",
    "https://127。0。0。1/",
    "https://127．0．0．1/",  # noqa: RUF001 - full-width full stops, on purpose
    "https://１２７.0.0.1/",  # noqa: RUF001 - full-width digits, on purpose
    "https://①②⑦.0.0.1/",
    "https://[fd00::1]/",
    "https://[2606:4700::1111]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://[::1%25lo]/",
    "https://[::1%lo]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[v1.fe80::a+en1]/",
)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/done?a=1",
        "HTTPS://Hooks.Example.COM",
        "https://hooks.example.com:443/",
        "https://xn--hks-sna.example.com/%C3%A9#part",
        "https://10.0.0.1.example.com/",
        "https://0x7f.example.com/",
    ],
)
def test_names_over_https_are_taken(url: str) -> None:
    check_webhook_target(url, WebhookRules(allow_local=False))


@pytest.mark.parametrize("url", [*MALFORMED, *PORTS, *NO_DOMAIN_NAMES, *ADDRESSES])
@pytest.mark.parametrize("allow_local", [False, True])
def test_anything_else_is_refused(url: str, *, allow_local: bool) -> None:
    with pytest.raises(InvalidSubmissionError, match=r"^webhook_endpoint: (must|is) ") as refused:
        check_webhook_target(url, WebhookRules(allow_local=allow_local))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", LOCAL)
def test_loopback_is_taken_only_where_it_is_allowed(url: str) -> None:
    check_webhook_target(url, WebhookRules(allow_local=True))
    with pytest.raises(InvalidSubmissionError, match="this machine"):
        check_webhook_target(url, WebhookRules(allow_local=False))


def test_loopback_is_reached_over_http_and_nothing_older() -> None:
    with pytest.raises(InvalidSubmissionError, match="https:// or http://"):
        check_webhook_target("gopher://127.0.0.1/", WebhookRules(allow_local=True))


def test_a_stack_may_allow_other_ports() -> None:
    url = "https://hooks.example.com:8443/"
    check_webhook_target(url, WebhookRules(allow_local=False, ports=(443, 8443)))
    with pytest.raises(InvalidSubmissionError, match="must use port 443, not 8443"):
        check_webhook_target(url, WebhookRules(allow_local=False))


def test_a_url_is_read_into_what_is_called() -> None:
    read = WebhookRules().read("https://Hooks.Example.com/a/../b;c?d=e%20f&g#h")
    assert read == WebhookUrl(
        "https", "hooks.example.com", 443, "/a/../b;c?d=e%20f&g", is_local=False
    )
    assert read.authority == "hooks.example.com:443"
    assert WebhookRules().read("https://hooks.example.com?a=1").target == "/?a=1"
    assert WebhookRules(allow_local=True).read("http://localhost").port == 80


def test_an_address_is_refused_for_being_one() -> None:
    with pytest.raises(ForbiddenTargetError, match="an IP address is not called"):
        WebhookRules().read("https://0x7f.1/")
