"""What a running local stack leaves on disk, so that the command line and the SDK find it."""

from pathlib import Path
from typing import Self

from pydantic import ValidationError

from penstock.contracts.contract import Contract
from penstock.contracts.errors import SettingsError
from penstock.contracts.stack.stack_outputs import StackOutputs

LOCAL_STACK_FILE = Path(".penstock/local/stack.json")
"""Below the folder in which the local stack was started."""


class LocalStack(Contract):
    """The content of `.penstock/local/stack.json`."""

    outputs: StackOutputs
    aws_endpoint_url: str
    api_key: str
    front_url: str

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """Return the local stack that was started in `folder` or a folder above it.

        Raises:
            SettingsError: its file cannot be read.
        """
        for place in (folder, *folder.parents):
            file = place / LOCAL_STACK_FILE
            if file.is_file():
                try:
                    return cls.model_validate_json(file.read_bytes())
                except ValidationError as error:
                    raise SettingsError(
                        f"{file} is not the file of a local stack; remove it or run"
                        " 'penstock local down' and 'penstock local up' again"
                    ) from error
        return None
