"""Commands that say what a stack costs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from penstock.cli.costs.project import the_project
from penstock.cli.output import AsJson, print_json
from penstock.contracts.errors import SettingsError

if TYPE_CHECKING:
    from infra.cost.estimate import DeploymentCost, Estimate

app = typer.Typer(no_args_is_help=True, help="Say what a stack costs.")

_PIPE_WIDTH = 240


@app.callback()
def cost() -> None:
    """Say what a stack costs."""


@app.command(epilog="Example: penstock cost estimate --stack prod --service-seconds 1.5")
def estimate(
    *,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take Pulumi.NAME.yaml of this folder.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take this settings file.")
    ] = None,
    service_seconds: Annotated[
        float | None, typer.Option(min=0, help="How long one request keeps a slot busy.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a stack costs each month, by the hour of a replica and by the request."""
    if (stack is None) == (file is None):
        raise SettingsError("say which stack: --stack NAME or --file FILE")
    with the_project():
        from infra.cost.estimate import estimate as estimated
        from infra.settings.stack_settings import StackSettings

    settings = StackSettings.read(file or Path(f"Pulumi.{stack}.yaml"))
    try:
        found = estimated(settings, service_seconds)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _print(found)


def _print(found: "Estimate") -> None:
    console = Console(markup=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    floor = Table("each month", "how many", "USD", box=box.SIMPLE_HEAD)
    for item in found.floor:
        floor.add_row(item.item, f"{item.quantity:g}", f"{item.usd_per_month:,.2f}")
    floor.add_section()
    floor.add_row("before the first request", "", f"{found.floor_usd_per_month:,.2f}")
    console.print(floor)
    if found.deployments:
        console.print(_deployments(found))
    for note in (f"prices of {found.prices_of_region} on {found.prices_as_of}", *found.notes):
        typer.echo(note, err=True)


def _deployments(found: "Estimate") -> Table:
    columns = ["deployment", "instance", "machine", "capacity", "USD/replica-hour", "USD/GPU-hour"]
    if found.service_seconds is not None:
        columns.append(f"USD/1,000 requests of {found.service_seconds:g} s")
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for deployment in found.deployments:
        cells = _cells(deployment)
        table.add_row(*cells[: len(columns)])
    return table


def _cells(deployment: "DeploymentCost") -> list[str]:
    share = deployment.replicas_per_machine
    machine = deployment.machine if share == 1 else f"1/{share} {deployment.machine}"
    return [
        deployment.deployment,
        deployment.instance,
        machine,
        deployment.capacity,
        _usd(deployment.usd_per_replica_hour),
        _usd(deployment.usd_per_gpu_hour),
        _usd(deployment.usd_per_1000_requests),
    ]


def _usd(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4f}"
