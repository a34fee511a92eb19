"""What Pulumi's host for Python (3.276) makes of the project files."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT, PACK = ROOT / "Pulumi.yaml", ROOT / "policies" / "PulumiPolicy.yaml"

_AS_THE_HOST_DOES = """
import pulumi, runpy
pulumi.runtime.set_all_config({}, [])
runpy.run_path(".", run_name="__main__")
"""


@dataclass(frozen=True)
class Host:
    """One project, as the host reads its file."""

    root: Path
    main: str
    options: dict[str, str]

    @classmethod
    def of(cls, file: Path, **options: str) -> "Host":
        """Read `file`; `options` are as if they stood in it."""
        read = yaml.safe_load(file.read_text())
        assert read["runtime"]["name"] == "python"
        return cls(file.parent, read.get("main", ""), read["runtime"]["options"] | options)

    @property
    def folder(self) -> Path:
        """Where the program runs: a `main` that is a folder becomes the working directory."""
        return self.root / self.main

    @property
    def virtualenv(self) -> Path:
        """What is named, or for uv what lies beside the nearest uv.lock."""
        if "virtualenv" in self.options:
            return self.root.joinpath(self.options["virtualenv"]).resolve()
        assert self.options["toolchain"] == "uv"
        folders = (self.root, *self.root.parents)
        return next(each for each in folders if (each / "uv.lock").is_file()) / ".venv"

    def type_check(self) -> "subprocess.CompletedProcess[str] | None":
        """Run what runs before each program, if any does."""
        checker = self.options.get("typechecker")
        if checker is None:
            return None
        folder = str(self.folder)
        excluded = ["--exclude", os.path.relpath(self.virtualenv, self.folder)]
        return self._python("-m", checker, *(excluded if checker == "mypy" else []), folder)

    def run(self) -> "subprocess.CompletedProcess[str]":
        """Run the program without any configuration."""
        return self._python("-c", _AS_THE_HOST_DOES)

    def _python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        python = self.virtualenv / "bin" / "python"
        return subprocess.run(
            [python, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )


@pytest.mark.parametrize("file", [PROJECT, PACK], ids=lambda file: file.name)
def test_what_pulumi_checks_before_it_runs_a_program_passes(file: Path) -> None:
    checked = Host.of(file).type_check()

    assert checked is None or checked.returncode == 0, checked.stdout


def test_mypy_refuses_the_way_in_which_pulumi_would_run_it() -> None:
    checked = Host.of(PROJECT, typechecker="mypy").type_check()

    assert checked
    assert 'Duplicate module named "__main__"' in checked.stdout


def test_the_program_is_imported_where_pulumi_runs_it_and_then_asks_for_its_settings() -> None:
    ended = Host.of(PROJECT).run()

    assert "Missing required configuration variable 'penstock:settings'" in ended.stderr


@pytest.mark.parametrize("file", [PROJECT, PACK], ids=lambda file: file.name)
def test_pulumi_runs_on_the_environment_that_uv_makes_of_the_lock_file(file: Path) -> None:
    assert Host.of(file).virtualenv == ROOT / ".venv"
