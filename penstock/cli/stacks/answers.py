"""What a new stack is to be, as it was said on the command line or when asked."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, NamedTuple, Self

from penstock.contracts.errors import SettingsError

Example = Literal["dev", "prod"]

_STACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")


class Model(NamedTuple):
    """A Truss directory, and what it runs on."""

    name: str
    directory: str
    instance: str

    @classmethod
    def parse(cls, text: str, project: Path) -> Self:
        """Read `NAME=DIRECTORY@INSTANCE`.

        Raises:
            SettingsError: it has another form, or the directory holds no Truss.
        """
        name, _, rest = text.partition("=")
        directory, _, instance = rest.rpartition("@")
        if not (name and directory and instance):
            raise SettingsError(
                f"{text!r} is no model: write NAME=DIRECTORY@INSTANCE, as in"
                " ocr=examples/models/ocr@CPU:4x16"
            )
        if not (project / directory / "config.yaml").is_file():
            raise SettingsError(
                f"{directory} is no Truss directory: it has no config.yaml. Containers and images"
                " are written into the file by hand; docs/settings.md says how"
            )
        return cls(name, directory, instance)


class Domain(NamedTuple):
    """A domain name, and the Route 53 zone that it is in."""

    name: str
    hosted_zone: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAME=ZONE`.

        Raises:
            SettingsError: it has another form.
        """
        name, _, hosted_zone = text.partition("=")
        if not (name and hosted_zone):
            raise SettingsError(
                f"{text!r} is no domain: write NAME=ZONE, as in inference.example.com=Z0123456789"
            )
        return cls(name, hosted_zone)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What goes into a stack file; the rest comes from an example."""

    stack: str
    region: str
    access_from: tuple[str, ...]
    """From where the Kubernetes API can be reached."""

    admin_roles: tuple[str, ...]
    """Who may do everything in the cluster."""

    owner: str
    alarm_emails: tuple[str, ...]
    domain: Domain | None
    models: tuple[Model, ...]


THROWAWAY_STACKS = ("dev", "dev-*", "test", "test-*", "sandbox", "sandbox-*")
"""Names of stacks that the policy pack lets go without protection."""


def checked_stack_name(name: str, example: Example) -> str:
    """Return `name` if Pulumi, AWS, file systems and policies all take it.

    Raises:
        SettingsError: they do not.
    """
    if not _STACK_NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r} is no name of a stack: at most 30 of a-z, 0-9 and hyphens, a letter first"
        )
    if example == "dev" and not any(fnmatchcase(name, known) for known in THROWAWAY_STACKS):
        raise SettingsError(
            f"the policies take {name} for production, where data is protected: add --from prod, or"
            f" name it like one of {', '.join(THROWAWAY_STACKS)}"
        )
    return name
