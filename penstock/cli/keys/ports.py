"""What makes access keys."""

from dataclasses import dataclass

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.directory import DynamoApiKeyStore
from penstock.adapters.aws.master_secret import SecretsManagerMasterSecret
from penstock.contracts.errors import SettingsError
from penstock.contracts.ports.directory import ApiKeyStore
from penstock.contracts.ports.master_secret import MasterSecret
from penstock.contracts.stack.stack_outputs import StackOutputs


@dataclass(frozen=True, kw_only=True)
class AccessKeyPorts:
    """The access keys of one stack, and where they are for."""

    keys: ApiKeyStore
    master_secret: MasterSecret
    api_url: str
    region: str


def aws_access_key_ports(outputs: StackOutputs) -> AccessKeyPorts:
    """Return the ports of a stack whose AWS the clients point to.

    Raises:
        SettingsError: the stack was deployed before there were access keys.
    """
    if not outputs.signing_master_secret_id:
        raise SettingsError(
            "the stack has no master secret for access keys: deploy it with this version first"
        )
    return AccessKeyPorts(
        keys=DynamoApiKeyStore(outputs.api_keys_table, client("dynamodb")),
        master_secret=SecretsManagerMasterSecret(
            outputs.signing_master_secret_id, client("secretsmanager")
        ),
        api_url=outputs.api_url,
        region=outputs.region,
    )
