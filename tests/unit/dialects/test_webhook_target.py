"""URLs that webhooks may be sent to."""

import pytest

from penstock.contracts.errors import InvalidSubmissionError
from penstock.dialects.webhook_target import check_webhook_target

LOCAL = ("http://localhost:8000/done", "http://127.0.0.1/", "https://[::1]:8443/x")


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.com/done?a=1", "https://8.8.8.8/x", "https://[2606:4700::1111]:8443"],
)
def test_public_https_is_taken(url: str) -> None:
    check_webhook_target(url, allow_local=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com/done",
        "http://hooks.example.com/done",
        "ftp://hooks.example.com/done",
        "https://",
        "https:///done",
        "https://user@hooks.example.com/",
        "https://user:secret@hooks.example.com/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:0/",
        "https://[::1/",
        "https://hooks.example.com/a b",
        "https://hooks.exam\nple.com/",
        "https://hööks.example.com/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
    ],
)
@pytest.mark.parametrize("allow_local", [False, True])
def test_anything_else_is_refused(url: str, *, allow_local: bool) -> None:
    with pytest.raises(InvalidSubmissionError, match=r"^webhook_endpoint: ") as refused:
        check_webhook_target(url, allow_local=allow_local)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", LOCAL)
def test_loopback_is_taken_only_where_it_is_allowed(url: str) -> None:
    check_webhook_target(url, allow_local=True)
    with pytest.raises(InvalidSubmissionError, match="this machine"):
        check_webhook_target(url, allow_local=False)
