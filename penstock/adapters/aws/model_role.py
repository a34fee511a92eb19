"""The role of a model's own, assumed through STS."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.contracts.errors import RoleRefusedError
from penstock.contracts.ports.model_role import RoleCredentials

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

_LIFETIME_SECONDS = 3_600
"""The longest that a role may be assumed for by a role that was itself assumed."""


class StsModelRole:
    """`ModelRole` over one role."""

    def __init__(self, role_arn: str, session_name: str, sts: "STSClient") -> None:
        self._role_arn = role_arn
        self._session_name = session_name
        self._sts = sts

    def __call__(self) -> RoleCredentials:
        """Assume the role for an hour.

        Raises:
            RoleRefusedError: AWS does not let us.
        """
        try:
            with aws_call("assume role"):
                response = self._sts.assume_role(
                    RoleArn=self._role_arn,
                    RoleSessionName=self._session_name,
                    DurationSeconds=_LIFETIME_SECONDS,
                )
        except ClientError as error:
            reason = f"{error_code(error)}: {error.response['Error'].get('Message', '')}"
            raise RoleRefusedError(self._role_arn, reason) from error
        found = response["Credentials"]
        return RoleCredentials(
            access_key_id=found["AccessKeyId"],
            secret_access_key=found["SecretAccessKey"],
            session_token=found["SessionToken"],
            expires_at=found["Expiration"],
        )
