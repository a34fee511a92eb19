"""Commands that run the whole platform on this machine."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from penstock.cli.output import AsJson, print_json
from penstock.contracts.errors import PenstockError

if TYPE_CHECKING:
    from penstock.contracts.stack.local_stack import LocalStack
    from penstock.local.state import StackStatus, StateFolder

app = typer.Typer(no_args_is_help=True, help="Run the whole platform on this machine.")

StateOption = Annotated[
    Path,
    typer.Option(
        "--state",
        metavar="FOLDER",
        help="Where the stack keeps its files; another is another stack.",
    ),
]
_DEFAULT_STATE = Path(".penstock/local")  # `LOCAL_STACK_FILE.parent`, without loading pydantic
_LOOK_SECONDS = 0.1


class NotRunningError(PenstockError):
    """No local stack runs where one is needed."""


@app.command(epilog="Example: penstock local up --detach --port 8000")
def up(
    *,
    settings: Annotated[
        Path, typer.Option(metavar="FILE", exists=True, help="The stack's settings.")
    ] = Path("Pulumi.local.yaml"),
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where the API is served; 0 is any free port.")
    ] = 0,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once the stack is ready; it goes on running.")
    ] = False,
    state: StateOption = _DEFAULT_STATE,
    as_json: AsJson = False,
) -> None:
    """Start the stack of a settings file in an emulated AWS; stays until Ctrl-C.

    No account, Docker or cluster is needed; packages are fetched the first time.
    """
    from penstock.local.state import StateFolder

    folder = StateFolder.at(state)

    def ready(stack: "LocalStack") -> None:
        _show_ready(folder, stack, as_json=as_json, detached=detach)

    if detach:
        _up_detached(settings, port, folder)
        ready(_description(folder))
        return
    say = _progress()
    say("reading the program")
    from penstock.local.stack import StackOptions, run_stack

    run_stack(StackOptions(settings_file=settings, state=folder, port=port), say, ready)
    say("ended; nothing is left running")


@app.command(epilog="Example: penstock local down")
def down(*, state: StateOption = _DEFAULT_STATE, as_json: AsJson = False) -> None:
    """End the stack and every process of it, also those that a killed 'up' left behind."""
    from penstock.local.state import StateFolder
    from penstock.local.supervisor import bring_down

    ended = bring_down(StateFolder.at(state))
    if as_json:
        print_json({"ended_processes": ended})
    else:
        typer.echo(f"ended {ended} processes" if ended else "nothing was running", err=True)


@app.command(epilog="Example: penstock local status --json")
def status(*, state: StateOption = _DEFAULT_STATE, as_json: AsJson = False) -> None:
    """Show the API, and for each deployment its pods, their processes and the queues' depth."""
    from penstock.local.state import StackStatus

    folder = _running(state)
    stack = _description(folder)
    seen = StackStatus.model_validate_json(folder.status.read_bytes())
    if as_json:
        print_json({"stack": stack.model_dump(mode="json"), **seen.model_dump(mode="json")})
        return
    typer.echo(f"API {stack.front_url}   AWS {stack.aws_endpoint_url}   logs {folder.logs}")
    Console(markup=False).print(_table(seen))
    for deployment in seen.deployments:
        if deployment.fault:
            typer.echo(f"{deployment.name}: {deployment.fault}")
    for name, note in seen.notes:
        typer.echo(f"{name}: {note}")


@app.command(epilog="Example: penstock local logs echo-v1-1.dispatcher --follow")
def logs(
    name: Annotated[
        str | None, typer.Argument(help="A log, or the beginning of several; all if left out.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they grow.")] = False,
    lines: Annotated[int, typer.Option(min=0, help="How many lines of each to begin with.")] = 50,
    state: StateOption = _DEFAULT_STATE,
) -> None:
    """Print the logs of the emulator, the pods' processes and the pods' events."""
    from penstock.local.logs import LogReader
    from penstock.local.state import StateFolder

    reader = LogReader(StateFolder.at(state).logs, name or "")
    for line in reader.last(lines):
        typer.echo(line)
    while follow:
        for line in reader.new():
            typer.echo(line)
        time.sleep(_LOOK_SECONDS)


def _running(state: Path) -> "StateFolder":
    from penstock.local.state import StateFolder
    from penstock.local.supervisor import Supervisor, how_it_ended

    folder = StateFolder.at(state)
    if Supervisor.find(folder) is None or not folder.running_stack.exists():
        last = how_it_ended(folder)
        raise NotRunningError(
            "no local stack runs here; start one with 'penstock local up'"
            + (f"\nthe last one {last}; its logs are in {folder.logs}" if last else "")
        )
    return folder


def _description(folder: "StateFolder") -> "LocalStack":
    from penstock.contracts.stack.local_stack import LocalStack

    return LocalStack.model_validate_json(folder.running_stack.read_bytes())


def _up_detached(settings: Path, port: int, folder: "StateFolder") -> None:
    from penstock.local.logs import SEPARATOR, LogReader
    from penstock.local.processes import MARKER
    from penstock.local.supervisor import check_free

    check_free(folder)
    folder.running_stack.unlink(missing_ok=True)
    folder.logs.mkdir(parents=True, exist_ok=True)
    with folder.supervisor_log.open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "penstock.cli", "local", "up", "--settings", str(settings)),
                *("--port", str(port), "--state", str(folder.path)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, MARKER: str(folder.path)},
            start_new_session=True,
        )
    reader = LogReader(folder.logs, folder.supervisor_log.name)
    while not folder.running_stack.exists():
        has_ended = process.poll() is not None  # asked first: then all that it said is there
        for line in reader.new():
            typer.echo(line.partition(SEPARATOR)[2], err=True)
        if has_ended:
            raise NotRunningError(f"the stack did not start; see {folder.supervisor_log}")
        time.sleep(_LOOK_SECONDS)


def _progress() -> Callable[[str], None]:
    console = Console(stderr=True, highlight=False)
    started_at = time.monotonic()

    def say(text: str) -> None:
        elapsed = time.monotonic() - started_at
        console.print(f"[dim]{elapsed:5.1f} s[/dim]  {escape(text)}")

    return say


def _show_ready(
    folder: "StateFolder", stack: "LocalStack", *, as_json: bool, detached: bool
) -> None:
    from penstock.local.state import StackStatus

    seen = StackStatus.model_validate_json(folder.status.read_bytes())
    for name, note in seen.notes:
        typer.echo(f"Note  {name}: {note}", err=True)
    if as_json:
        print_json(stack.model_dump(mode="json"))
        return
    typer.echo(f"API   {stack.front_url}")
    typer.echo(f"Key   {stack.api_key}")
    typer.echo(f"AWS   {stack.aws_endpoint_url} (emulated)")
    typer.echo(f"Logs  {folder.logs}")
    if seen.models:
        typer.echo(f"Try   {_curl(stack, seen.models[0])}")
    typer.echo("Stop  penstock local down" if detached else "Stop  Ctrl-C")


def _curl(stack: "LocalStack", model: str) -> str:
    return (
        f"curl {stack.front_url}/models/{model}/production/async_predict"
        f" -H 'Authorization: Api-Key {stack.api_key}'"
        """ -H 'Content-Type: application/json' -d '{"model_input": {"text": "hello"}}'"""
    )


def _table(seen: "StackStatus") -> Table:
    table = Table("deployment", "pod", "phase", "processes", "waiting", "held", box=box.SIMPLE_HEAD)
    for deployment in seen.deployments:
        ready = f"{deployment.ready_replicas}/{deployment.wanted_replicas} ready"
        depth = (str(deployment.queue_depth), str(deployment.messages_in_flight))
        table.add_row(
            deployment.name,
            f"{deployment.min_replicas}..{deployment.max_replicas}",
            ready,
            "",
            *depth,
        )
        for pod in deployment.pods:
            pids = ", ".join(
                f"{process.name.rpartition('/')[2]} {process.pid or 'restarting'}"
                for process in pod.processes
            )
            table.add_row("", pod.name, pod.phase, pids, "", "")
    return table
