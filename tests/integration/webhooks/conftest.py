"""What tests of sending share: an authority, and loopback addresses that pass for public ones."""

import ssl
from collections.abc import Callable

import pytest
import trustme

from penstock.adapters.webhooks import sender as sender_module
from penstock.adapters.webhooks.addresses import is_public
from tests.unit.functions.world import World

NAME = "hooks.example.com"
PUBLIC, PUBLIC_TOO, INTERNAL = "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""On loopback; with `public_loopback` the first two pass for public addresses."""

Identity = Callable[..., ssl.SSLContext]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    """What a sender believes that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def identity(authority: trustme.CA) -> Identity:
    """Return what makes a server's certificate for a name."""

    def of(name: str, issuer: trustme.CA = authority, **validity: object) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer.issue_cert(name, **validity).configure_cert(context)  # type: ignore[arg-type]  # dates
        return context

    return of


@pytest.fixture
def public_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two addresses pass that nobody outside of this machine can listen on."""

    def is_called(address: str) -> bool:
        return address in {PUBLIC, PUBLIC_TOO} or is_public(address)

    monkeypatch.setattr(sender_module, "is_public", is_called)


@pytest.fixture
def world() -> World:
    return World()
