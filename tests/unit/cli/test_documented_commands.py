"""Commands that pages tell people to type are commands that there are."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from penstock.cli.main import app

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _commands(page: Path) -> list[str]:
    """Return what stands in code blocks and begins, or goes on after a pipe, with `penstock`."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    text = re.sub(r"\$\((?!penstock)[^)]*\)", "X", "".join(blocks))
    lines = text.replace("\\\n", " ").splitlines()
    found = (re.search(r"(?:^|\| |\$\()(penstock [^|#)]+)", line) for line in lines)
    return [match[1].strip() for match in found if match]


WRITTEN = [(page.name, command) for page in PAGES for command in _commands(page)]


def test_pages_have_commands() -> None:
    assert {"README.md", "deploy.md", "operations.md"} <= {page for page, _ in WRITTEN}


@pytest.mark.parametrize(("page", "written"), WRITTEN)
def test_a_written_command_exists_with_its_options(page: str, written: str) -> None:
    command = typer.main.get_command(app)
    words = shlex.split(written)[1:]
    while isinstance(command, TyperGroup) and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{page}: {written}"
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}

    unknown = {word for word in words if word.startswith("--")} - options
    assert unknown == set(), f"{page}: {written}"
