"""The commands themselves."""

from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.connections import connections
from penstock.cli.failures import ExitCode
from penstock.cli.keys.commands import StackName
from penstock.cli.output import AsJson, print_many, print_one
from penstock.cli.webhooks import signing_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.cli.webhooks.redelivery import Redelivered

app = typer.Typer(no_args_is_help=True, help="Redeliver, try and sign webhooks (for operators).")
app.add_typer(signing_secrets.app, name="secrets")


@app.command(epilog="Example: penstock webhooks redeliver --all-failed --stack prod")
def redeliver(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    request_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Request ids.", show_default=False)
    ] = None,
    *,
    all_failed: Annotated[
        bool, typer.Option("--all-failed", help="Every webhook among the dead letters.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Send webhooks again, each with all its attempts; exit 1 if one could not be sent."""
    from penstock.cli.webhooks import redelivery
    from penstock.contracts.request import RequestId

    if bool(request_ids) is all_failed:
        raise typer.BadParameter("name request ids, or say --all-failed")
    wanted = [RequestId(each) for each in request_ids or ()]
    with connections(context).webhooks(stack) as ports:
        total = ports.dead_letters.count() if all_failed else len(wanted)
        if not yes:
            about = "about " if all_failed else ""
            typer.confirm(f"Send {about}{total} webhook(s) again?", abort=True, err=True)
        if all_failed:
            found = redelivery.redeliver_all_failed(ports)
        else:
            found = redelivery.redeliver(ports, wanted)
        done = _shown(found, total)
    print_many(done, ("request_id", "outcome", "reason"), as_json=as_json)
    if not all(each.outcome.settles_letter for each in done):
        raise typer.Exit(ExitCode.ENDED_WITHOUT_SUCCESS)


@app.command("test", epilog="Example: penstock webhooks test https://hooks.example.com/penstock")
def try_out(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="A receiver.", show_default=False)],
    *,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Send a signed sample from this machine, under the rules of the platform; exit 1 if refused.

    The way from here may differ from the platform's: what it may call, and what may call it.
    """
    from penstock.cli.webhooks.trial import send_sample

    with connections(context).webhooks(stack) as ports:
        trial = send_sample(ports, url)
    print_one(trial, as_json=as_json)
    if not trial.delivered:
        raise typer.Exit(ExitCode.ENDED_WITHOUT_SUCCESS)


def _shown(found: "Iterator[Redelivered]", total: int) -> "Sequence[Redelivered]":
    done = []
    for number, each in enumerate(found, start=1):
        # SQS counts about; nobody wants to read 3/2.
        typer.echo(f"{number}/{max(number, total)} {each.request_id} {each.outcome}", err=True)
        done.append(each)
    return done
