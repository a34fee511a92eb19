"""What the commands about webhooks work with."""

from dataclasses import dataclass

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.dead_letters import SqsDeadLetterQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.adapters.aws.signing_secrets import SecretsManagerSigningSecrets
from penstock.adapters.aws.webhooks.webhook_queue import SqsWebhookQueue
from penstock.adapters.webhooks.sender import PinnedWebhookSender
from penstock.cli.stack import Stack
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.ports.dead_letters import DeadLetterQueue
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.ports.webhooks import SigningSecretStore, WebhookQueue, WebhookSender

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class WebhookPorts:
    """The webhooks of one stack."""

    requests: RequestStore
    queue: WebhookQueue
    dead_letters: DeadLetterQueue
    secrets: SigningSecretStore
    sender: WebhookSender
    rules: WebhookRules


def aws_webhook_ports(stack: Stack) -> WebhookPorts:
    """Return the ports of a stack whose AWS the clients point to."""
    outputs = stack.outputs
    sqs = client("sqs")
    return WebhookPorts(
        requests=DynamoRequestStore(outputs.requests_table, client("dynamodb")),
        queue=SqsWebhookQueue(outputs.webhook_queue_url, sqs),
        dead_letters=SqsDeadLetterQueue(outputs.webhook_dead_letter_queue_url, sqs),
        secrets=SecretsManagerSigningSecrets(
            outputs.webhook_signing_secret_id, client("secretsmanager")
        ),
        sender=PinnedWebhookSender(timeout_seconds=_TIMEOUT_SECONDS),
        # What the local stack may call it calls from here.
        rules=WebhookRules(allow_local=stack.aws_endpoint_url is not None),
    )
