"""The commands themselves."""

import re
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.connections import connections
from penstock.cli.failures import ExitCode
from penstock.cli.output import AsJson, print_json
from penstock.cli.requests.commands import Deployment, Environment, ModelId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.cli.batch.report import Report
    from penstock.client import BatchEntry, Client, RequestStatus

app = typer.Typer(
    no_args_is_help=True, help="Submit a file of requests, and collect their results."
)

A_DAY = 86_400

SubmittedFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="What 'penstock batch submit' printed; - is stdin.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the lines here, not to stdout.")
]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds after which nothing is waited for.")]


def _prefix(text: str) -> str:
    if not re.fullmatch("[!-~]{1,128}", text):
        raise typer.BadParameter(f"{text!r} must be 1 to 128 visible ASCII characters")
    return text


@app.command(
    epilog="Example: penstock batch submit ocr pages.jsonl --wait --output texts.jsonl"
    "\n\nExample: jq -c '{model_input: .}' inputs.jsonl | penstock batch submit ocr - > ids.jsonl"
    "\n\nExample: penstock batch submit ocr pages.jsonl --wait --idempotency-prefix monday"
)
def submit(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    model: ModelId,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Lines of JSON; - is stdin; s3://BUCKET/KEY is read by the API itself.",
            show_default=False,
        ),
    ],
    *,
    environment: Environment = None,
    deployment: Deployment = None,
    priority: Annotated[
        int | None, typer.Option(min=0, max=2, help="Of lines that say none; 0 runs first.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(help="HTTPS URL that gets the results of lines that name none.")
    ] = None,
    max_time_in_queue: Annotated[
        int | None,
        typer.Option(
            help="Seconds after which a line that says none expires if it has not started"
            " (default: three days, the longest)."
        ),
    ] = None,
    idempotency_prefix: Annotated[
        str | None,
        typer.Option(
            parser=_prefix,
            metavar="NAME",
            help="A name for this batch. The same command with the same name continues it: what was"
            " submitted under it is not run again.",
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait, and write each result as it comes.")
    ] = False,
    output: Output = None,
    timeout: Timeout = A_DAY,
) -> None:
    """Submit a request for each line of a file; exit 1 if any line fails.

    A line is a submission: {"model_input": …, "priority": 1, "webhook_endpoint": …, …}.
    Every line is checked before the first is sent.

    For each, in their order, a line of JSON: index, request_id or error.
    'penstock batch results' takes it from there.
    With --wait also status and result, and each as soon as it has ended.

    Whatever stops this, the same command continues it with the same --idempotency-prefix.
    """
    from penstock.cli.batch.continuing import continued_with, settled, way_on
    from penstock.cli.batch.lines import Keys, source_of
    from penstock.cli.batch.report import report
    from penstock.cli.batch.submitting import Submitting

    said = {
        "priority": priority,
        "webhook_endpoint": webhook,
        "max_time_in_queue_seconds": max_time_in_queue,
    }
    began, target = time.monotonic(), (model, environment, deployment)
    keys = Keys(idempotency_prefix or uuid.uuid4().hex[:12], target)
    with (
        source_of(file, said, keys, is_continued=idempotency_prefix is not None) as source,
        report(output) as shown,
        connections(context).client() as client,
    ):
        again = way_on(source, keys.prefix, is_named=idempotency_prefix is not None)
        submitting = Submitting(client, *target, timeout)
        entries = submitting.entries(source, with_bar=wait or shown.leaves_room)
        with continued_with(again, shown):
            if wait:
                all_entries = settled(entries, shown)
                left = timeout - (time.monotonic() - began)
                _collect(client, all_entries, shown, left, again)
            else:
                shown.write_all(entry.model_dump(mode="json") for entry in entries)
        if shown.failures:
            raise typer.Exit(ExitCode.ENDED_WITHOUT_SUCCESS)


@app.command(epilog="Example: penstock batch status ids.jsonl")
def status(context: typer.Context, file: SubmittedFile, *, as_json: AsJson = False) -> None:
    """Count the requests of a batch by where they are."""
    from penstock.cli.batch.lines import read_entries

    ids = [entry.request_id for entry in read_entries(file)]
    with connections(context).client() as client:
        found = client.statuses([request_id for request_id in ids if request_id])
    counts = Counter(_state(request_id, found) for request_id in ids)
    if as_json:
        print_json(counts)
        return
    for state, count in sorted(counts.items()):
        typer.echo(f"{count:>8} {state}")


@app.command(epilog="Example: penstock batch results ids.jsonl --output texts.jsonl")
def results(
    context: typer.Context, file: SubmittedFile, *, output: Output = None, timeout: Timeout = A_DAY
) -> None:
    """Wait for the requests of a batch, and write a line of JSON for each as soon as it ends.

    Its index, as in FILE, request_id, status, and result or error.
    A result that is no JSON is result_base64, with its content_type.
    Exit 1 if any has an error, 5 when time is up.
    """
    from penstock.cli.batch.continuing import continued_with
    from penstock.cli.batch.lines import read_entries
    from penstock.cli.batch.report import report

    entries, again = read_entries(file), "the same command"
    with (
        report(output) as shown,
        connections(context).client() as client,
        continued_with(again, shown),
    ):
        _collect(client, entries, shown, timeout, again)
        if shown.failures:
            raise typer.Exit(ExitCode.ENDED_WITHOUT_SUCCESS)


def _state(request_id: str | None, found: "Mapping[str, RequestStatus]") -> str:
    if request_id is None:
        return "refused"
    return found[request_id].status if request_id in found else "unknown"


def _collect(
    client: "Client", entries: "Sequence[BatchEntry]", shown: "Report", timeout: float, again: str
) -> None:
    from penstock.cli.batch.results import Results

    results = Results(client, entries)
    shown.write_all(results.lines(timeout, share_terminal=not shown.leaves_room))
    if results.trouble:
        raise results.trouble
    if results.are_late:
        typer.echo(f"the time was up; what goes on can be collected later with {again}", err=True)
        raise typer.Exit(ExitCode.TIMED_OUT)
