"""Runs scripts that declare their own packages, with nothing of ours but an address and keys."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.artifacts.workspace import ROOT, uv
from tests.e2e.clients.conftest import Clients

EXAMPLES = ROOT / "examples" / "clients"
_OURS = ("AWS_", "PENSTOCK_", "PYTHON", "VIRTUAL_ENV")
_OF_THE_MACHINE = {"AWS_CA_BUNDLE"}


def script(path: Path, *arguments: str) -> list[str]:
    """Return the command that runs a script in an environment of its own."""
    return uv("run", "--no-project", "--script", str(path), *arguments)


def skip_unless_installable(path: Path) -> None:
    """Skip the test if the packages of a script cannot be had on this machine."""
    done = subprocess.run(
        uv("sync", "--quiet", "--script", str(path)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"{path.name} cannot be installed here: {done.stderr.strip()}")


def environment(clients: Clients, **more: str) -> dict[str, str]:
    """Return what a user of the stack has set, and nothing that speaks for this process."""
    machine = {
        name: value
        for name, value in os.environ.items()
        if name in _OF_THE_MACHINE or not name.startswith(_OURS)
    }
    return machine | clients.environment | more


def run(clients: Clients, command: list[str], **more: str) -> str:
    """Run a command as a user of the stack and return what it printed."""
    done = subprocess.run(
        command,
        env=environment(clients, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
