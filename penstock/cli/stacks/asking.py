"""Asking for what the command line did not say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from penstock.cli.stacks.answers import Answers, Domain, Model
from penstock.contracts.errors import SettingsError

_REGION = "us-east-1"
_NONE = "none"
_FIRST_MODEL = "echo=examples/models/echo@CPU:1x2"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the command line said; nothing means it was not said."""

    region: str | None
    access_from: Sequence[str]
    admin_roles: Sequence[str]
    owner: str | None
    alarm_emails: Sequence[str]
    domain: str | None
    models: Sequence[str]


def answers_to(stack: str, given: Given, project: Path, *, asks: bool) -> Answers:
    """Return what was given, and for the rest what is answered or usual.

    Raises:
        SettingsError: something must be said, and nobody may be asked; or it makes no sense.
    """
    ask = _asked if asks else _usual
    # Not checked when they are typed: the settings themselves know what they take.
    region = given.region or ask("Region", "--region", _REGION)
    access_from = given.access_from or _listed(
        ask("Networks that you deploy from, such as 198.51.100.7/32", "--access-from", None)
    )
    admin_roles = given.admin_roles or _listed(
        ask("IAM role that runs `pulumi up`, by ARN", "--admin-role", None)
    )
    owner = given.owner or ask("Owner, for the tags", "--owner", None)
    alarm_emails = given.alarm_emails or _listed(
        ask("E-mail addresses that alarms go to, or none", "--alarm-email", _NONE)
    )
    domain = given.domain or ask("Domain as NAME=ZONE, or none", "--domain", _NONE)
    models = given.models or _listed(
        ask("Models, each NAME=DIRECTORY@INSTANCE", "--model", _FIRST_MODEL)
    )
    return Answers(
        stack=stack,
        region=region,
        access_from=tuple(access_from),
        admin_roles=tuple(admin_roles),
        owner=owner,
        alarm_emails=tuple(email for email in alarm_emails if email != _NONE),
        domain=None if domain == _NONE else Domain.parse(domain),
        models=tuple(Model.parse(model, project) for model in models),
    )


Ask = Callable[[str, str, str | None], str]


def _asked(question: str, _flag: str, usual: str | None) -> str:
    answer: str = typer.prompt(question, default=usual, err=True)
    return answer


def _usual(_question: str, flag: str, usual: str | None) -> str:
    if usual is None:
        raise SettingsError(f"say {flag}: with --yes nothing is asked, and there is no usual value")
    return usual


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").split()
