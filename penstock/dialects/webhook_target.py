"""Which URLs a webhook may be sent to, as far as the URL alone can tell."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from penstock.contracts.errors import InvalidSubmissionError

_FIELD = "webhook_endpoint"


def check_webhook_target(url: str, *, allow_local: bool) -> None:
    """Pass if webhooks may be sent to `url`; where its name leads is checked when sending.

    Args:
        url: What the caller gave.
        allow_local: Whether loopback is a target too, over http or https (for development).

    Raises:
        InvalidSubmissionError: they may not; the reason says what is wrong with it.
    """
    parts = _split(url)
    if _is_loopback(parts.hostname or ""):
        if not allow_local:
            raise InvalidSubmissionError(_FIELD, "must not lead to this machine itself")
        if parts.scheme not in {"http", "https"}:
            raise InvalidSubmissionError(_FIELD, "must begin with https:// or http://")
    elif parts.scheme != "https":
        raise InvalidSubmissionError(_FIELD, "must begin with https://")
    elif not _is_public(parts.hostname or ""):
        raise InvalidSubmissionError(_FIELD, "must not be an address of a private network")


def _split(url: str) -> SplitResult:
    # urlsplit drops tabs and line breaks silently, so they are refused before it sees them.
    if not (url.isascii() and url.isprintable() and " " not in url):
        raise InvalidSubmissionError(_FIELD, "must be ASCII without spaces; percent-encode others")
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise InvalidSubmissionError(_FIELD, f"is not a URL: {error}") from error
    if not has_host:
        raise InvalidSubmissionError(_FIELD, "must be a URL with a host")
    if "@" in parts.netloc:
        raise InvalidSubmissionError(_FIELD, "must not carry a user name or password")
    return parts


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return literal.is_loopback if literal else host == "localhost"


def _is_public(host: str) -> bool:
    literal = _literal(host)
    return literal is None or literal.is_global
