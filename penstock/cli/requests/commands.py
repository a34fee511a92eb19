"""The commands themselves."""

import sys
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.connections import connections
from penstock.cli.failures import ExitCode
from penstock.cli.output import AsJson, print_json, print_many, print_one
from penstock.cli.requests.model_input import read_model_input
from penstock.cli.requests.moment import moment

if TYPE_CHECKING:
    from penstock.client import CancelAnswer, RequestStatus

app = typer.Typer()

ModelId = Annotated[str, typer.Argument(metavar="MODEL", help="Model to run.", show_default=False)]
RequestIds = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Request ids.", show_default=False)
]
Environment = Annotated[
    str | None, typer.Option(help="Environment of the model (default: production).")
]
Deployment = Annotated[str | None, typer.Option(help="One deployment of the model.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait.")]


@app.command(
    epilog="Example: penstock submit ocr --set image=@page.png --priority 1 --wait",
)
def submit(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    model: ModelId,
    *,
    input_file: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="JSON input; - is stdin.")
    ] = None,
    content_type: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Send the file as it is, of any size, as image/png, …"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set a key of the input: KEY=text, or KEY=@FILE for a file as base64.",
        ),
    ] = None,
    environment: Environment = None,
    deployment: Deployment = None,
    priority: Annotated[int, typer.Option(min=0, max=2, help="0 runs first.")] = 0,
    webhook: Annotated[str | None, typer.Option(help="HTTPS URL that gets the result.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Repeating a submission with its key makes no second one.")
    ] = None,
    max_time_in_queue: Annotated[
        int, typer.Option(help="Seconds after which it expires if it has not started.")
    ] = 600,
    predict_timeout: Annotated[
        float | None,
        typer.Option(help="Seconds one attempt may run; the deployment's limit still applies."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    timeout: Timeout = 600,
    as_json: AsJson = False,
) -> None:
    """Submit one request; print its id.

    JSON of more than 200 KiB, and whatever has a --content-type, is uploaded to S3 first.
    """
    model_input = read_model_input(input_file, settings or (), content_type)
    with connections(context).client() as client:
        handle = client.submit(
            model,
            model_input.value,
            input_location=model_input.place(client),
            environment=environment,
            deployment=deployment,
            priority=priority,
            webhook=webhook,
            idempotency_key=idempotency_key,
            max_time_in_queue_seconds=max_time_in_queue,
            predict_timeout_seconds=predict_timeout,
        )
        if wait:
            from penstock.cli.requests.following import follow

            typer.echo(f"{handle.request_id} submitted", err=True)
            follow([handle], timeout, as_json=as_json, as_one=True)
        elif as_json:
            print_json({"request_id": handle.request_id})
        else:
            typer.echo(handle.request_id)


@app.command(epilog="Example: penstock status 7f0c2b41d0a94e1b8c55e2a94b7c1f03 --json")
def status(context: typer.Context, request_ids: RequestIds, *, as_json: AsJson = False) -> None:
    """Show where requests are."""
    from penstock.cli.requests.following import STATUS_COLUMNS

    with connections(context).client() as client:
        statuses: list[RequestStatus] = []
        try:
            for request_id in request_ids:
                statuses.append(client.handle(request_id).status())  # noqa: PERF401 - kept on error
        finally:
            print_many(statuses, STATUS_COLUMNS, as_json=as_json)


@app.command(epilog="Example: penstock wait 7f0c2b41d0a94e1b8c55e2a94b7c1f03 --timeout 120")
def wait(
    context: typer.Context,
    request_ids: RequestIds,
    *,
    timeout: Timeout = 600,
    as_json: AsJson = False,
) -> None:
    """Wait until requests have ended; exit 1 if any ended without success, 5 when time is up."""
    from penstock.cli.requests.following import follow

    with connections(context).client() as client:
        handles = [client.handle(request_id) for request_id in request_ids]
        follow(handles, timeout, as_json=as_json)


@app.command(epilog="Example: penstock result 7f0c2b41d0a94e1b8c55e2a94b7c1f03 --output page.json")
def result(
    context: typer.Context,
    request_id: Annotated[str, typer.Argument(metavar="ID", help="Request id.")],
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a result, byte for byte as the model gave it."""
    with connections(context).client() as client:
        fetched = client.handle(request_id).fetch_result()
    if output is not None:
        _write(output, fetched.content)
        if as_json:
            size = len(fetched.content)
            print_json({"file": str(output), "bytes": size, "content_type": fetched.content_type})
        else:
            typer.echo(f"{len(fetched.content)} bytes written to {output}", err=True)
        return
    to_terminal = sys.stdout.isatty()
    if not fetched.is_json and (as_json or to_terminal):
        raise typer.BadParameter(f"the result is {fetched.content_type}: give --output FILE")
    typer.echo(fetched.content, nl=to_terminal)


@app.command(epilog="Example: penstock cancel 7f0c2b41d0a94e1b8c55e2a94b7c1f03 --force")
def cancel(
    context: typer.Context,
    request_ids: RequestIds,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also stop one that runs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Cancel requests that have not started; exit 1 if any is not cancelled (yet).

    One that runs is only asked to stop (--force): 'penstock wait' tells when it has.
    """
    with connections(context).client() as client:
        answers: list[CancelAnswer] = []
        try:
            for request_id in request_ids:
                answers.append(client.handle(request_id).cancel(force=force))  # noqa: PERF401 - kept on error
        finally:
            print_many(answers, ("request_id", "canceled", "message"), as_json=as_json)
    if not all(answer.canceled for answer in answers):
        raise typer.Exit(ExitCode.ENDED_WITHOUT_SUCCESS)


@app.command(epilog="Example: penstock queue ocr --environment staging")
def queue(
    context: typer.Context,
    model: ModelId,
    *,
    environment: Environment = None,
    deployment: Deployment = None,
    as_json: AsJson = False,
) -> None:
    """Show how many requests wait and run."""
    with connections(context).client() as client:
        depth = client.queue(model, environment=environment, deployment=deployment)
    print_one(depth, as_json=as_json)


@app.command("list", epilog="Example: penstock list ocr --status FAILED --since 2h")
def list_(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    model: ModelId,
    *,
    environment: Environment = None,
    deployment: Deployment = None,
    status: Annotated[
        str | None, typer.Option(help="QUEUED, IN_PROGRESS, SUCCEEDED, FAILED, EXPIRED, …")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="30m, 12h or 7d ago, or a date and time."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most requests to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the requests you sent to a deployment, the newest first."""
    with connections(context).client() as client:
        listed = client.list_requests(
            model,
            environment=environment,
            deployment=deployment,
            status=status.upper() if status else None,
            created_after=since,
        )
        found = list(islice(listed, limit))
    columns = ("request_id", "status", "created_at", "status_at", "errors")
    print_many(found, columns, as_json=as_json)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise typer.BadParameter(f"cannot write {file}: {error.strerror}") from error
