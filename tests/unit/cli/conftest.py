"""The command line, wired to a scripted API and to keys in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from penstock.adapters.in_memory import InMemoryApiKeyStore
from penstock.cli.connections import Connections
from penstock.cli.keys.ports import AccessKeyPorts
from penstock.cli.main import app
from penstock.client import Client
from penstock.contracts.ports.directory import ApiKeyStore
from tests.unit.client.api import KEY, URL, Reply, ScriptedApi
from tests.unit.client.pauses import pauses

__all__ = ["pauses", "penstock"]

MASTER_SECRET = b"master-secret-of-32-or-more-bytes"


@dataclass
class FakeConnections(Connections):
    """Connections that open no socket."""

    api: ScriptedApi
    keys: InMemoryApiKeyStore = field(default_factory=InMemoryApiKeyStore)

    def client(self) -> Client:
        return Client(URL, KEY, max_attempts=1, transport=httpx.MockTransport(self.api))

    @contextmanager
    def key_store(self, stack_name: str | None) -> Iterator[ApiKeyStore]:
        yield self.keys

    @contextmanager
    def access_keys(self, stack_name: str | None) -> Iterator[AccessKeyPorts]:
        yield AccessKeyPorts(
            keys=self.keys,
            master_secret=lambda: MASTER_SECRET,
            api_url="https://api.example.com/live",
            region="eu-central-1",
        )


@dataclass
class CommandLine:
    """Runs commands."""

    connections: FakeConnections

    def __call__(self, *arguments: str, **options: Any) -> Result:
        # A width, so that help is not wrapped within an example.
        return CliRunner(env={"TERMINAL_WIDTH": "200", "NO_COLOR": "1"}).invoke(
            app, list(arguments), obj=self.connections, **options
        )


CommandLineOf = Callable[..., CommandLine]


@pytest.fixture
def penstock() -> CommandLineOf:
    """Return the command line in front of an API that gives these replies."""

    def in_front_of(*replies: Reply) -> CommandLine:
        return CommandLine(FakeConnections(ScriptedApi(list(replies or [httpx.Response(500)]))))

    return in_front_of
