"""Commands on the files of stacks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.costs.project import the_project
from penstock.cli.stacks.answers import Example, checked_stack_name
from penstock.contracts.errors import SettingsError

if TYPE_CHECKING:
    from infra.settings.stack_settings import StackSettings

app = typer.Typer(no_args_is_help=True, help="Write the settings file of a new stack.")

_POLICIES = "--policy-pack policies --policy-pack-config policies/config.json"


@app.callback()
def stack() -> None:
    """Write the settings file of a new stack."""


@app.command(epilog="Example: penstock stack init prod --from prod --region eu-west-1")
def init(  # noqa: PLR0913 - one for each question
    name: Annotated[str, typer.Argument(help="The stack's name, such as dev or prod.")],
    *,
    example: Annotated[
        Example,
        typer.Option("--from", help="dev is small and sleeps; prod keeps data and has spares."),
    ] = "dev",
    region: Annotated[str | None, typer.Option(help="AWS region.")] = None,
    access_from: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", help="Network that you deploy and operate from."),
    ] = None,
    admin_role: Annotated[
        list[str] | None,
        typer.Option(metavar="ARN", help="IAM role that runs pulumi up."),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it; a tag.")] = None,
    alarm_email: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Who hears of alarms.")
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(metavar="NAME=ZONE", help="Domain name of the API and its Route 53 zone id."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIRECTORY@INSTANCE", help="Truss directory to serve."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; take what is usual.")] = False,
) -> None:
    """Write Pulumi.NAME.yaml: by asking, or from the options.

    --access-from, --admin-role, --alarm-email and --model may be given several times. A file that
    is there is left alone.
    """
    with the_project():
        from penstock.cli.stacks.stack_file import stack_file
    from penstock.cli.stacks.asking import Given, answers_to

    folder = Path.cwd()
    template = folder / f"Pulumi.{example}.yaml.example"
    if not template.is_file():
        raise SettingsError(f"no {template.name} here: run this in the project's folder")
    target = folder / f"Pulumi.{checked_stack_name(name, example)}.yaml"
    if target.exists():
        raise SettingsError(f"{target.name} is there already: edit it, or remove it first")
    given = Given(
        region=region,
        access_from=access_from or (),
        admin_roles=admin_role or (),
        owner=owner,
        alarm_emails=alarm_email or (),
        domain=domain,
        models=model or (),
    )
    answers = answers_to(name, given, folder, asks=not yes)
    settings = _write(target, stack_file(template.read_text(), answers))
    _tell(name, settings)


def _write(target: Path, text: str) -> "StackSettings":
    """Write a file that `pulumi up` will take, or none."""
    with the_project():
        from infra.settings.stack_settings import StackSettings

    beside = target.with_suffix(".yaml.new")
    beside.write_text(text)
    try:
        settings = StackSettings.read(beside)
        beside.rename(target)
    finally:
        beside.unlink(missing_ok=True)
    return settings


def _tell(name: str, settings: "StackSettings") -> None:
    from infra.cost.estimate import estimate

    costs = estimate(settings)
    typer.echo(f"Pulumi.{name}.yaml: {settings.environment} in {settings.region}")
    typer.echo(
        f"before its first request it costs {costs.floor_usd_per_month:,.0f} USD a month (prices of"
        f" {costs.prices_of_region} on {costs.prices_as_of});"
        f" for what: penstock cost estimate --stack {name}"
    )
    typer.echo("next, with credentials of the admin role (docs/deploy.md has every step):")
    for command in (
        f"pulumi stack init {name}",
        f"pulumi preview --stack {name} {_POLICIES}",
        f"pulumi up --stack {name} {_POLICIES}",
        f"penstock keys create --stack {name} --tenant YOU",
    ):
        typer.echo(f"  {command}")
