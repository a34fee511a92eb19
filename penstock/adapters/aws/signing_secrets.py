"""The webhook signing secrets in Secrets Manager."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.contracts.errors import SettingsError
from penstock.contracts.ports.clock import Clock, utc_now

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEPT_FOR = timedelta(seconds=60)


class _SecretValue(BaseModel):
    secrets: tuple[str, ...]


class SecretsManagerSigningSecrets:
    """`SigningSecrets` over one secret: JSON `{"secrets": [newest, older…]}`."""

    def __init__(
        self, secret_id: str, secretsmanager: "SecretsManagerClient", clock: Clock = utc_now
    ) -> None:
        self._secret_id = secret_id
        self._secretsmanager = secretsmanager
        self._clock = clock
        self._kept: tuple[datetime, tuple[str, ...]] | None = None

    def active(self) -> Sequence[str]:
        """Return the secrets, newest first; up to a minute old.

        Raises:
            SettingsError: the secret's value has another form.
        """
        now = self._clock()
        if self._kept is None or self._kept[0] <= now:
            self._kept = (now + _KEPT_FOR, self._fetched())
        return self._kept[1]

    def _fetched(self) -> tuple[str, ...]:
        try:
            with aws_call("read signing secrets"):
                response = self._secretsmanager.get_secret_value(SecretId=self._secret_id)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":  # also: it has no value yet
                return ()
            raise
        try:
            return _SecretValue.model_validate_json(response["SecretString"]).secrets
        except ValidationError:
            # Without `from`: the cause would quote the secret.
            raise SettingsError(
                f'secret {self._secret_id} must be JSON {{"secrets": ["newest", "older"]}}'
            ) from None
