"""`python -m examples.demo [FOLDER]`: read scanned pages, end with 0 only if all was delivered."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from examples.demo.pages import NoPagesError, Page, pages_in, sample_pages
from examples.demo.reading import PRIORITIES, follow, submit
from examples.demo.report import show_problems, show_texts, show_times
from examples.demo.stack import local_stack
from examples.demo.verdict import judge
from examples.demo.webhook_receiver import WebhookReceiver
from penstock.adapters.aws.clients import client as aws_client
from penstock.adapters.aws.objects import S3ResultStore
from penstock.adapters.aws.signing_secrets import SecretsManagerSigningSecrets
from penstock.cli.stack import Stack
from penstock.client import Client
from penstock.contracts.errors import PenstockError
from penstock.contracts.stack.local_stack import LocalStack


def main() -> int:
    """Run the demo; return its exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="your own scans, read as well")
    folder: Path | None = parser.parse_args().folder
    console = Console()
    try:
        pages = sample_pages() + (pages_in(folder) if folder else [])
        with local_stack() as stack:
            return 0 if _all_delivered(stack, pages, console) else 1
    except (NoPagesError, PenstockError) as error:
        console.print(f"✗ {error}", style="red", markup=False)
        return 1


def _all_delivered(stack: LocalStack, pages: list[Page], console: Console) -> bool:
    Stack(stack.outputs, stack.aws_endpoint_url).point_aws_clients_here()
    results = S3ResultStore(stack.outputs.results_bucket, aws_client("s3"))
    secrets = SecretsManagerSigningSecrets(
        stack.outputs.webhook_signing_secret_id, aws_client("secretsmanager")
    ).active()
    with WebhookReceiver(secrets) as receiver, Client(stack.front_url, stack.api_key) as client:
        console.print(
            f"{len(pages)} pages at {len(PRIORITIES)} priorities to {stack.front_url},"
            f" webhooks to {receiver.url}",
            soft_wrap=True,
        )
        readings = submit(client, pages, receiver.url)
        follow(readings, console)
        verdicts = [judge(reading, receiver, results) for reading in readings]
    show_texts(verdicts, console)
    show_times(verdicts, console)
    return show_problems(verdicts, receiver.refusals, console)


if __name__ == "__main__":
    sys.exit(main())
