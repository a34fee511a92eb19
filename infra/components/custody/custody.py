"""What all things of a stack have in common that hold data."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.components.custody.log_keeping import LogKeeping
from infra.components.permissions import (
    Statement,
    allow,
    refuse_other_accounts,
    refuse_plain_http,
)

_DECRYPT, _NEW_DATA_KEY = "kms:Decrypt", "kms:GenerateDataKey"
_BOTH = (_DECRYPT, _NEW_DATA_KEY)
_NEEDED: Mapping[str, Sequence[str]] = {
    # DynamoDB made the table's own key with the table, and decrypts it for each caller.
    **{
        f"dynamodb:{action}": (_DECRYPT,)
        for action in ("BatchGetItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
    },
    "s3:AbortMultipartUpload": (_DECRYPT,),  # who may, writes in parts, which S3 puts together
    "s3:DeleteObject": (),
    "s3:GetObject": (_DECRYPT,),
    "s3:ListBucket": (),
    "s3:PutObject": (_NEW_DATA_KEY,),
    "secretsmanager:GetSecretValue": (_DECRYPT,),
    "sns:Publish": _BOTH,
    "sqs:ChangeMessageVisibility": (),
    "sqs:DeleteMessage": (),
    "sqs:GetQueueAttributes": (),
    "sqs:ReceiveMessage": (_DECRYPT,),
    "sqs:SendMessage": _BOTH,
}
"""What an action needs of the key that its resource lies under."""


@dataclass(frozen=True, kw_only=True)
class Custody:
    """Whose things these are, and under which key they lie."""

    account_id: pulumi.Input[str]
    region: str
    key_arn: pulumi.Input[str] | None = None
    """A key of the account's own; without it, those that AWS keeps."""

    def refusals(
        self,
        actions: str | Sequence[str],
        resources: pulumi.Input[str] | Sequence[pulumi.Input[str]],
    ) -> list[Statement]:
        """Return what the policy of every resource refuses: plain HTTP, and other accounts."""
        return [
            refuse_plain_http(actions, resources),
            refuse_other_accounts(actions, resources, self.account_id),
        ]

    def logs(self, days: int) -> LogKeeping:
        """Return how log entries are kept."""
        return LogKeeping(days=days, key_arn=self.key_arn)

    def statements_to_use_key(self, statements: Sequence[Statement]) -> list[Statement]:
        """Allow with the key what `statements` need, through the same services and not else."""
        if self.key_arn is None:
            return []
        services = defaultdict(set)
        for action in _actions(statements):
            for needed in _NEEDED[action]:
                services[needed].add(action.partition(":")[0])
        return [
            allow(
                needed,
                self.key_arn,
                {"StringEquals": {"kms:ViaService": self._hosts(services[needed])}},
            )
            for needed in sorted(services)
        ]

    def _hosts(self, services: set[str]) -> list[str]:
        return [f"{service}.{self.region}.amazonaws.com" for service in sorted(services)]


def _actions(statements: Sequence[Statement]) -> Iterator[str]:
    for statement in statements:
        actions = statement["Action"]
        yield from [actions] if isinstance(actions, str) else actions
