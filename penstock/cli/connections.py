"""What the commands talk to, opened only when a command needs it."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.cli.dlq.ports import DeadLetterPorts
    from penstock.cli.keys.ports import AccessKeyPorts
    from penstock.cli.webhooks.ports import WebhookPorts
    from penstock.client import Client
    from penstock.contracts.ports.directory import ApiKeyStore


class Connections:
    """The real ones; tests hand in their own as the context's object."""

    def client(self) -> "Client":
        """Return a client of the configured API."""
        from penstock.client import Client

        return Client()

    @contextmanager
    def key_store(self, stack_name: str | None) -> "Iterator[ApiKeyStore]":
        """Give the API keys of a stack."""
        from penstock.adapters.aws.clients import client
        from penstock.adapters.aws.directory import DynamoApiKeyStore
        from penstock.cli.stack import Stack, aws_access

        stack = Stack.find(stack_name, Path.cwd())
        stack.point_aws_clients_here()
        with aws_access():
            yield DynamoApiKeyStore(stack.outputs.api_keys_table, client("dynamodb"))

    @contextmanager
    def access_keys(self, stack_name: str | None) -> "Iterator[AccessKeyPorts]":
        """Give what makes the access keys of a stack."""
        from penstock.cli.keys.ports import aws_access_key_ports
        from penstock.cli.stack import Stack, aws_access

        stack = Stack.find(stack_name, Path.cwd())
        stack.point_aws_clients_here()
        with aws_access():
            yield aws_access_key_ports(stack.outputs)

    @contextmanager
    def dead_letters(self, stack_name: str | None) -> "Iterator[DeadLetterPorts]":
        """Give the requests of a stack and their dead letters."""
        from penstock.cli.dlq.ports import aws_dead_letter_ports
        from penstock.cli.stack import Stack, aws_access

        stack = Stack.find(stack_name, Path.cwd())
        stack.point_aws_clients_here()
        with aws_access():
            yield aws_dead_letter_ports(stack.outputs)

    @contextmanager
    def webhooks(self, stack_name: str | None) -> "Iterator[WebhookPorts]":
        """Give what delivers the webhooks of a stack."""
        from penstock.cli.stack import Stack, aws_access
        from penstock.cli.webhooks.ports import aws_webhook_ports

        stack = Stack.find(stack_name, Path.cwd())
        stack.point_aws_clients_here()
        with aws_access():
            yield aws_webhook_ports(stack)


def connections(context: typer.Context) -> Connections:
    """Return what this command talks to."""
    return context.ensure_object(Connections)
