"""(a) How long each function takes to import from its archive, and how large that is."""

import os
import subprocess
import tempfile
import zipfile
from pathlib import Path

from bench.figures import Figure, Goal
from bench.lab import Lab
from bench.rounds import Sample, medians
from infra.artifacts.lambda_bundle import CLOUD, lambda_archive, target_of
from penstock.contracts.environments import (
    AuthorizerEnvironment,
    SweeperEnvironment,
    WebhooksEnvironment,
)

_FUNCTIONS = ("authorizer", "intake", "status", "webhooks", "sweeper")
_GOALS = {"intake": Goal(at_most=250), "status": Goal(at_most=250)}
_FLOOR = "import boto3\nfor name in ('dynamodb', 's3', 'sqs'): boto3.client(name)"
_TIMED = """
import time
started = time.perf_counter()
exec(compile({code!r}, "timed", "exec"))
print((time.perf_counter() - started) * 1_000)
"""
_MEGABYTE = 1_000_000
_OTHERS = {
    **AuthorizerEnvironment.variables(api_keys_table="api_keys"),
    **WebhooksEnvironment.variables(
        requests_table="requests",
        results_bucket="results",
        webhook_queue_url="webhooks",
        webhook_dead_letter_queue_url="dead",
        signing_secret_id="signing",  # noqa: S106 - a name
    ),
    **SweeperEnvironment.variables(
        catalog_table="catalog",
        requests_table="requests",
        results_bucket="results",
        succeeded_topic="succeeded",
        failed_topic="failed",
    ),
}


def measure(lab: Lab) -> list[Figure]:
    """Import in the Python that the emulator runs functions in; boto3 comes with it, as in AWS."""
    names = ("intake", "status") if lab.is_quick else _FUNCTIONS
    with tempfile.TemporaryDirectory() as folder:
        archive = lambda_archive(target_of(Path(lab.stack.interpreter)))
        zipfile.ZipFile(archive).extractall(folder)
        figures = [_import_time(lab, name, folder) for name in names]
    return [*figures, _size()]


def _import_time(lab: Lab, function: str, folder: str) -> Figure:
    taken = medians(
        lab.many(5, 2),
        ours=lambda: _timed(lab, f"import functions.{function}.handler", folder),
        floor=lambda: _timed(lab, _FLOOR, folder),
    )
    return Figure(
        section="cold start",
        name=f"{function}, import",
        unit="ms",
        ours=taken["ours"]["ms"],
        floor=taken["floor"]["ms"],
        goal=_GOALS.get(function),
    )


def _timed(lab: Lab, code: str, folder: str) -> Sample:
    environment = {**_OTHERS, **lab.stack.function_variables(), **lab.stack.variables}
    done = subprocess.run(
        [lab.stack.interpreter, "-c", _TIMED.format(code=code)],
        env={"PATH": os.environ["PATH"], **{name: str(each) for name, each in environment.items()}},
        cwd=folder,
        capture_output=True,
        check=True,
        text=True,
    )
    return {"ms": float(done.stdout.splitlines()[-1])}


def _size() -> Figure:
    return Figure(
        section="cold start",
        name="archive of all functions, arm64",
        unit="MB zipped",
        ours=lambda_archive(CLOUD).stat().st_size / _MEGABYTE,
        goal=Goal(at_most=15),
    )
