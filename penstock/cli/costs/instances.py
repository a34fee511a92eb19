"""The command that lists machines."""

import typer

from penstock.cli.costs.project import the_project
from penstock.cli.output import AsJson, print_json, print_many

app = typer.Typer()

_COLUMNS = ("instance", "machine", "gpu_memory_gib", "nvme_gb", "usd_per_hour", "spot_usd_per_hour")


@app.command(epilog="Example: penstock instances --json")
def instances(*, as_json: AsJson = False) -> None:
    """List the machines that instance names can mean, with their prices.

    A deployment may ask for less of one: L4:2:24x96 is half of L4:4:48x192.
    """
    with the_project():
        from infra.cost.price_list import PriceList

    listed = PriceList.load()
    if as_json:
        print_json(listed.model_dump(mode="json"))
        return
    print_many(listed.machines, _COLUMNS, as_json=False)
    typer.echo(f"US dollars in {listed.region} on {listed.as_of}: {listed.source}", err=True)
    typer.echo(f"spot: {listed.spot_source}", err=True)
