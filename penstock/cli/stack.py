"""Which stack an operator's command works on: the local one, or one that Pulumi deployed."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from penstock.cli.failures import AwsRefusedError
from penstock.contracts.errors import SettingsError
from penstock.contracts.stack.local_stack import LocalStack
from penstock.contracts.stack.stack_outputs import StackOutputs


@dataclass(frozen=True)
class Stack:
    """The outputs of a stack, and the AWS it is in."""

    outputs: StackOutputs
    aws_endpoint_url: str | None = None
    """Of the emulator; `None` means AWS itself."""

    @classmethod
    def find(cls, name: str | None, folder: Path) -> Self:
        """Return the stack that Pulumi knows as `name`, or the local one if there is no name.

        Raises:
            SettingsError: there is none; the text says what to do.
        """
        if name is not None:
            return cls(_pulumi_outputs(name, folder))
        local = LocalStack.find(folder)
        if local is None:
            raise SettingsError(
                "no local stack here: start one with 'penstock local up', or name a deployed one"
                " with --stack NAME"
            )
        return cls(local.outputs, local.aws_endpoint_url)

    def point_aws_clients_here(self) -> None:
        """Set the AWS variables that the clients of this process are made from."""
        os.environ["AWS_REGION"] = self.outputs.region
        if self.aws_endpoint_url is None:
            return
        # The user's own credentials and profile are not for the emulator.
        for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(variable, None)
        os.environ |= {
            "AWS_ENDPOINT_URL": self.aws_endpoint_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }


def _pulumi_outputs(name: str, folder: Path) -> StackOutputs:
    command = ["pulumi", "stack", "output", "--json", "--stack", name]
    try:
        pulumi = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SettingsError(
            "--stack reads the stack's outputs with 'pulumi', which is not on PATH: install the"
            " Pulumi CLI and log in, or run this where it is"
        ) from error
    if pulumi.returncode != 0:
        raise SettingsError(f"'{' '.join(command)}' failed: {pulumi.stderr.strip()}")
    try:
        return StackOutputs.model_validate_json(pulumi.stdout)
    except ValidationError as error:
        missing = ", ".join(str(detail["loc"][0]) for detail in error.errors() if detail["loc"])
        raise SettingsError(
            f"stack {name} is no deployed Penstock stack: its outputs lack {missing}"
        ) from error


@contextmanager
def aws_access() -> Iterator[None]:
    """Turn a refusal of AWS into an error that can be shown."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise AwsRefusedError(f"AWS refused: {error}") from error
