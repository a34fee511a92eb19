"""A secret that nobody chose: Secrets Manager makes it up."""

from collections.abc import Callable
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.custody.custody import Custody
from infra.components.permissions import Statement, allow


@dataclass(frozen=True, kw_only=True)
class GeneratedSecretArgs:
    """What the secret needs to know."""

    custody: Custody
    description: str
    recovery_days: int
    """How long a deleted secret can be brought back; 0 deletes it at once."""

    value: Callable[[str], str] = str
    """From 43 random letters and digits, which are 256 bits, to what is stored first."""


class GeneratedSecret(pulumi.ComponentResource):
    """A secret that is made once and then belongs to those who use it.

    A later run neither reads nor writes its value.
    """

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: GeneratedSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:GeneratedSecret", name, {}, opts)
        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            description=args.description,
            kms_key_id=args.custody.key_arn,
            recovery_window_in_days=args.recovery_days,
            opts=pulumi.ResourceOptions(parent=self),
        )
        made = aws.secretsmanager.get_random_password_output(
            password_length=43, exclude_punctuation=True, opts=pulumi.InvokeOptions(parent=self)
        )
        aws.secretsmanager.SecretVersion(
            f"{name}-first-version",
            secret_id=secret.id,
            # Known to the SDK as secret: it is encrypted wherever Pulumi writes it down.
            secret_string_wo=made.random_password.apply(args.value),
            secret_string_wo_version=1,
            # A new password is made at every run; without this, so would be a new secret.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretStringWo"]),
        )
        self.arn = secret.arn
        self.register_outputs({"arn": self.arn})

    def statement_to_read(self) -> Statement:
        """Allow to read the secret."""
        return allow("secretsmanager:GetSecretValue", self.arn)
