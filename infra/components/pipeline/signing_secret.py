"""The secret that webhooks are signed with."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.permissions import Statement, allow


@dataclass(frozen=True, kw_only=True)
class SigningSecretArgs:
    """What the secret needs to know."""

    recovery_days: int
    """How long a deleted secret can be brought back; 0 deletes it at once."""


class SigningSecret(pulumi.ComponentResource):
    """A secret that is made once and then belongs to those who rotate it.

    Its value is JSON, `{"secrets": [newest, older…]}`; a later run neither reads nor writes it.
    """

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: SigningSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:SigningSecret", name, {}, opts)
        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            description="Secrets that webhooks are signed with, newest first",
            recovery_window_in_days=args.recovery_days,
            opts=pulumi.ResourceOptions(parent=self),
        )
        made = aws.secretsmanager.get_random_password_output(
            password_length=43, exclude_punctuation=True, opts=pulumi.InvokeOptions(parent=self)
        )
        first = pulumi.Output.concat("whsec_", made.random_password)
        aws.secretsmanager.SecretVersion(
            f"{name}-first-version",
            secret_id=secret.id,
            # Known to the SDK as secret: it is encrypted wherever Pulumi writes it down.
            secret_string_wo=pulumi.Output.json_dumps({"secrets": [first]}),
            secret_string_wo_version=1,
            # A new password is made at every run; without this, so would be a new secret.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretStringWo"]),
        )
        self.arn = secret.arn
        self.register_outputs({"arn": self.arn})

    def statement_to_read(self) -> Statement:
        """Allow to read the secrets."""
        return allow("secretsmanager:GetSecretValue", self.arn)
