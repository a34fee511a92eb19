"""The commands themselves."""

from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.connections import connections
from penstock.cli.failures import ExitCode
from penstock.cli.keys.commands import StackName
from penstock.cli.output import AsJson, print_many, print_one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock.cli.dlq.letters import Found, Settled
    from penstock.cli.dlq.ports import DeadLetterPorts
    from penstock.contracts.directory.catalog import Deployment

app = typer.Typer(
    no_args_is_help=True,
    help="Look at requests that used up their attempts, and run them again (for operators).",
)

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Request ids.", show_default=False)
]
ModelId = Annotated[
    str | None, typer.Option("--model", metavar="MODEL", help="Only of this model.")
]
All = Annotated[bool, typer.Option("--all", help="Every letter (of the model).")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list", epilog="Example: penstock dlq list --model ocr --stack prod")
def list_(
    context: typer.Context,
    *,
    model: ModelId = None,
    limit: Annotated[int, typer.Option(min=1, help="Most letters to show.")] = 100,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters: whose they are and why they are there."""
    from itertools import islice

    from penstock.cli.dlq import letters

    with connections(context).dead_letters(stack) as ports:
        among = letters.deployments(ports, model)
        with letters.looking(ports, among, _say_waiting) as found:
            lines = [letters.line(ports, each) for each in islice(found, limit)]
    columns = ("deployment_id", "request_id", "state", "priority", "sent_at", "reason")
    print_many(lines, columns, as_json=as_json)


@app.command(epilog="Example: penstock dlq show 3f1c…")
def show(
    context: typer.Context,
    request_id: Annotated[str, typer.Argument(metavar="ID", help="Request id.")],
    *,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Show one letter: faults, attempts, and the head of the payload."""
    from penstock.cli.dlq import letters
    from penstock.contracts.request_id import read_request_id

    request_id = read_request_id(request_id)
    with connections(context).dead_letters(stack) as ports:
        among = letters.deployments(ports, None)
        with letters.looking(ports, among, _say_waiting) as found:
            one = next((each for each in found if each.letter.request_id == request_id), None)
            if one is None:
                raise letters.NoLetterError(f"no dead letter of request {request_id}")
            shown = letters.details(ports, one)
    print_one(shown, as_json=as_json)


@app.command(epilog="Example: penstock dlq redrive --all --model ocr --stack prod")
def redrive(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    request_ids: Ids = None,
    *,
    all_: All = False,
    model: ModelId = None,
    yes: Yes = False,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Run requests again under their ids, with all their attempts; their callers hear again."""
    from penstock.cli.dlq import letters

    with connections(context).dead_letters(stack) as ports:
        wanted = _confirmed(ports, request_ids, model, "Run", "again", all_=all_, yes=yes)
        done = _settled(ports, model, wanted, letters.redrive)
    _report(done, as_json=as_json)


@app.command(epilog="Example: penstock dlq drop 3f1c… --yes")
def drop(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    request_ids: Ids = None,
    *,
    all_: All = False,
    model: ModelId = None,
    yes: Yes = False,
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Let letters go for good; their requests stay as they ended."""
    from penstock.cli.dlq import letters

    with connections(context).dead_letters(stack) as ports:
        wanted = _confirmed(ports, request_ids, model, "Drop", "for good", all_=all_, yes=yes)
        done = _settled(ports, model, wanted, letters.drop)
    _report(done, as_json=as_json)


def _confirmed(  # noqa: PLR0913 - what the question is made of
    ports: "DeadLetterPorts",
    request_ids: "Sequence[str] | None",
    model: str | None,
    verb: str,
    how: str,
    *,
    all_: bool,
    yes: bool,
) -> set[str] | None:
    """Return the wanted ids, `None` for all, once the operator agreed."""
    from penstock.cli.dlq import letters
    from penstock.contracts.request_id import read_request_id

    if bool(request_ids) is all_:
        raise typer.BadParameter("name request ids, or say --all")
    wanted: set[str] | None = None if all_ else set(map(read_request_id, request_ids or ()))
    if not yes:
        total = (
            letters.count(ports, letters.deployments(ports, model))
            if wanted is None
            else len(wanted)
        )
        about = "about " if wanted is None else ""
        typer.confirm(f"{verb} {about}{total} request(s) {how}?", abort=True, err=True)
    return wanted


def _settled(
    ports: "DeadLetterPorts",
    model: str | None,
    wanted: set[str] | None,
    settle: "Callable[[DeadLetterPorts, Found], Settled]",
) -> "list[Settled]":
    from penstock.cli.dlq import letters
    from penstock.contracts.request import RequestId

    done: list[Settled] = []
    seen: set[str | None] = set()
    among = letters.deployments(ports, model)
    with letters.looking(ports, among, _say_waiting) as found:
        for each in found:
            request_id = each.letter.request_id
            again = request_id is not None and request_id in seen
            if (wanted is not None and request_id not in wanted) or again:
                continue  # not asked for, or it failed again while we went on
            seen.add(request_id)
            done.append(settle(ports, each))
            typer.echo(f"{len(done)} {request_id or '-'} {done[-1].outcome}", err=True)
            if wanted is not None and wanted <= seen:
                break
    missing = sorted((wanted or set()) - {each for each in seen if each})
    return done + [
        letters.Settled(request_id=RequestId(each), outcome=letters.Outcome.NOT_FOUND)
        for each in missing
    ]


def _say_waiting(deployment: "Deployment") -> None:
    typer.echo(f"letters of {deployment.deployment_id} are being looked at; waiting", err=True)


def _report(done: "Sequence[Settled]", *, as_json: bool) -> None:
    print_many(done, ("request_id", "outcome"), as_json=as_json)
    if not all(each.outcome.is_settled for each in done):
        raise typer.Exit(ExitCode.ENDED_WITHOUT_SUCCESS)
