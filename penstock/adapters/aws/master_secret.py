"""The master secret of access keys in Secrets Manager."""

from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.contracts.errors import SettingsError
from penstock.contracts.ports.clock import Clock, utc_now

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEPT_FOR = timedelta(minutes=5)
_SHORTEST = 32


class SecretsManagerMasterSecret:
    """`MasterSecret` over one secret: its text, read when it is first needed."""

    def __init__(
        self, secret_id: str, secretsmanager: "SecretsManagerClient", clock: Clock = utc_now
    ) -> None:
        self._secret_id = secret_id
        self._secretsmanager = secretsmanager
        self._clock = clock
        self._kept: tuple[datetime, bytes] | None = None
        self._fetching = Lock()

    def __call__(self) -> bytes:
        """Return the master secret, up to five minutes old.

        Raises:
            SettingsError: it has no value, or one too short to derive secrets from.
        """
        now = self._clock()
        with self._fetching:
            if self._kept is None or self._kept[0] <= now:
                self._kept = (now + _KEPT_FOR, self._read())
            return self._kept[1]

    def _read(self) -> bytes:
        try:
            with aws_call("read master secret"):
                response = self._secretsmanager.get_secret_value(SecretId=self._secret_id)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":  # also: it has no value yet
                raise SettingsError(f"secret {self._secret_id} has no value") from error
            raise
        value = response.get("SecretString", "").encode()
        if len(value) < _SHORTEST:
            raise SettingsError(
                f"secret {self._secret_id} must be text of at least {_SHORTEST} characters"
            )
        return value
