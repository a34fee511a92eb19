"""The command starts quickly: what is heavy is loaded by the commands that need it."""

import subprocess
import sys

from penstock.cli import local
from penstock.contracts.stack.local_stack import LOCAL_STACK_FILE
from penstock.local.state import StateFolder

HEAVY = {"aiohttp", "boto3", "httpx", "pulumi", "pydantic"}


def test_help_loads_nothing_heavy() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import penstock.cli.main, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "typer" in loaded
    assert HEAVY.isdisjoint(loaded)


def test_a_stack_started_here_is_found_from_here() -> None:
    started_in = StateFolder.at(local._DEFAULT_STATE)  # noqa: SLF001 - the option's default

    assert started_in.running_stack == LOCAL_STACK_FILE.absolute()
