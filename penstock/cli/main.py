"""The `penstock` command: its parts put together."""

from importlib.metadata import version
from typing import Annotated

import typer

from penstock.cli import local
from penstock.cli.batch import commands as batch
from penstock.cli.costs import estimates, instances
from penstock.cli.dlq import commands as dlq
from penstock.cli.failures import EXIT_CODES_HELP, PenstockGroup
from penstock.cli.keys import commands as keys
from penstock.cli.requests import commands as requests
from penstock.cli.stacks import commands as stacks
from penstock.cli.webhooks import commands as webhooks

app = typer.Typer(
    cls=PenstockGroup,
    no_args_is_help=True,
    # A traceback is for us, and then whole; expected errors never come this far.
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES_HELP,
)
app.add_typer(requests.app)
app.add_typer(batch.app, name="batch")
app.add_typer(keys.app, name="keys")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(dlq.app, name="dlq")
app.add_typer(local.app, name="local")
app.add_typer(instances.app)
app.add_typer(estimates.app, name="cost")
app.add_typer(stacks.app, name="stack")


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"penstock {version('penstock')}")
        raise typer.Exit


@app.callback()
def penstock(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Run asynchronous inference on your own Penstock stack.

    The API comes from PENSTOCK_API_URL and PENSTOCK_API_KEY, else from the local stack.
    """


def main() -> None:
    """Run the command line."""
    app()
