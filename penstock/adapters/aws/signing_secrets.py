"""The webhook signing secrets in Secrets Manager."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import ValidationError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.contracts.errors import SettingsError
from penstock.contracts.http.signing_secrets import SigningSecretSet
from penstock.contracts.ports.clock import Clock, utc_now

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEPT_FOR = timedelta(seconds=60)


class SecretsManagerSigningSecrets:
    """`SigningSecrets` over one secret: JSON, a `SigningSecretSet`."""

    def __init__(
        self, secret_id: str, secretsmanager: "SecretsManagerClient", clock: Clock = utc_now
    ) -> None:
        self._secret_id = secret_id
        self._secretsmanager = secretsmanager
        self._clock = clock
        self._kept: tuple[datetime, SigningSecretSet] | None = None
        self._fetching = Lock()

    def active(self) -> Sequence[str]:
        """Return the secrets that have not expired, newest first; up to a minute old.

        Raises:
            SettingsError: the secret's value has another form.
        """
        now = self._clock()
        with self._fetching:
            if self._kept is None or self._kept[0] <= now:
                self._kept = (now + _KEPT_FOR, self.read())
            return self._kept[1].active(now)

    def read(self) -> SigningSecretSet:
        """Return what is stored now.

        Raises:
            SettingsError: the secret's value has another form.
        """
        try:
            with aws_call("read signing secrets"):
                response = self._secretsmanager.get_secret_value(SecretId=self._secret_id)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":  # also: it has no value yet
                return SigningSecretSet(secrets=())
            raise
        try:
            return SigningSecretSet.model_validate_json(response["SecretString"])
        except ValidationError:
            # Without `from`: the cause would quote the secret.
            raise SettingsError(
                f'secret {self._secret_id} must be JSON {{"secrets": ["newest", "older"]}}'
            ) from None

    def write(self, secrets: SigningSecretSet) -> None:
        """Store `secrets`; functions sign with them within a minute."""
        with aws_call("write signing secrets"):
            self._secretsmanager.put_secret_value(
                SecretId=self._secret_id, SecretString=secrets.model_dump_json(exclude_none=True)
            )
        self._kept = None
