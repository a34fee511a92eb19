"""Which URLs webhooks may be sent to, as far as the URL alone can tell.

Intake asks as a courtesy to the caller; what counts is that the sender takes nothing but a
`WebhookUrl`, and looks at the addresses its host leads to when it sends.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import SplitResult, urlsplit

from penstock.contracts.errors import PenstockError

HTTPS_PORT = 443

_DEFAULT_PORTS = {"https": HTTPS_PORT, "http": 80}
_HOST_LENGTH = 253
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Resolvers take a host whose last label is a number for an IPv4 address, in any base and with
# fewer than four parts: 2130706433, 0x7f.1, 0177.0.0.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class ForbiddenTargetError(PenstockError):
    """Webhooks are never sent there; trying again is of no use."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class WebhookUrl:
    """A URL that `WebhookRules` let pass."""

    scheme: str
    host: str
    """A domain name; an address or `localhost` only if `is_local`."""

    port: int
    target: str
    """Path and query, as the request line carries them."""

    is_local: bool
    """Whether it leads to loopback, which is for development."""

    @property
    def authority(self) -> str:
        """Host and port: what may be slow or dead as a whole."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class WebhookRules:
    """What a stack allows."""

    allow_local: bool = False
    """Whether loopback is a target too, over http or https and on any port."""

    ports: Collection[int] = (HTTPS_PORT,)

    def read(self, url: str) -> WebhookUrl:
        """Return the parts of `url`.

        Raises:
            ForbiddenTargetError: webhooks may not be sent there; the reason completes a sentence
                that begins with the URL.
        """
        parts = _split(url)
        host = parts.hostname or ""
        is_local = _is_loopback(host)
        if is_local:
            self._check_local(parts.scheme)
        elif parts.scheme != "https":
            raise ForbiddenTargetError("must begin with https://")
        else:
            _check_name(host)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        if not is_local and port not in self.ports:
            allowed = ", ".join(map(str, sorted(self.ports)))
            raise ForbiddenTargetError(f"must use port {allowed}, not {port}")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return WebhookUrl(parts.scheme, host, port, target, is_local)

    def _check_local(self, scheme: str) -> None:
        if not self.allow_local:
            raise ForbiddenTargetError("must not lead to this machine itself")
        if scheme not in _DEFAULT_PORTS:
            raise ForbiddenTargetError("must begin with https:// or http://")


def _split(url: str) -> SplitResult:
    # urlsplit drops tabs and line breaks silently, and IDNA turns full-width digits and dots into
    # ASCII ones; neither gets that far.
    if not (url.isascii() and url.isprintable() and " " not in url):
        raise ForbiddenTargetError(
            "must be ASCII without spaces: percent-encode its path, write its host as punycode"
        )
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ForbiddenTargetError(f"is not a URL: {error}") from error
    if not has_host:
        raise ForbiddenTargetError("must be a URL with a host")
    if "@" in parts.netloc:
        raise ForbiddenTargetError("must not carry a user name or password")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return IPv4Address(host).is_loopback
    except AddressValueError:
        return host in {"localhost", "::1"}


def _check_name(host: str) -> None:
    labels = host.split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        raise ForbiddenTargetError("must name its host: an IP address is not called")
    if not labels[-1]:
        raise ForbiddenTargetError("must name its host without a dot at the end")
    if len(host) > _HOST_LENGTH or not all(map(_LABEL.fullmatch, labels)):
        raise ForbiddenTargetError("must name its host by a domain name")
    if len(labels) == 1:
        raise ForbiddenTargetError("must name its host by a full domain name, with a dot in it")
