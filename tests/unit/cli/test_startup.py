"""The command starts quickly: what is heavy is loaded by the commands that need it."""

import subprocess
import sys

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
