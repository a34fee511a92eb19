import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from penstock.local.pods.images import model_environment
from penstock.local.pods.images.model_environment import (
    ModelEnvironmentError,
    Packages,
    make_model_environment,
)

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = "3.10" if HERE != "3.10" else "3.12"

FAKE_UV = """
import json, sys
from pathlib import Path

journal, installed, downloadable, *command = sys.argv[1:]
with Path(journal).open("a") as lines:
    print(json.dumps(command), file=lines)
match command:
    case ["python", "find", *_, version] if version not in installed.split():
        sys.exit("no such Python")
    case ["python", "install", version] if version not in downloadable.split():
        sys.exit("no network")
    case ["venv", *_, folder]:
        Path(folder).mkdir()
    case ["pip", *words] if "broken.txt" in " ".join(words):
        sys.exit("no such package")
"""


@dataclass
class Uv:
    """A uv that knows some versions of Python and writes down what it is asked."""

    journal: Path
    installed: Sequence[str] = ()
    downloadable: Sequence[str] = ()

    def command(self, *arguments: str) -> list[str]:
        known = [" ".join(self.installed), " ".join(self.downloadable)]
        return [sys.executable, "-c", FAKE_UV, str(self.journal), *known, *arguments]

    def asked(self, first: str, *more: str) -> list[list[str]]:
        commands = map(json.loads, self.journal.read_text().splitlines())
        wanted = [first, *more]
        return [command for command in commands if command[: len(wanted)] == wanted]

    def forget(self) -> None:
        self.journal.write_text("")


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    fake = Uv(tmp_path / "journal")
    fake.forget()
    monkeypatch.setattr(model_environment, "uv", fake.command)
    return fake


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def packages_of(tmp_path: Path) -> Callable[[str], Packages]:
    """Make what is installed in an image with some version of Python."""

    def make(version: str) -> Packages:
        return Packages(
            folder=tmp_path, python=version, requirements="six\n", constraints="six<2\n"
        )

    return make


async def test_a_model_runs_on_the_python_of_its_image(
    uv: Uv, cache: Path, packages_of: Callable[[str], Packages]
) -> None:
    uv.installed = [OTHER]
    made = await make_model_environment(packages_of(OTHER), cache)

    (venv,) = uv.asked("venv")
    assert venv[venv.index("--python") + 1] == OTHER
    assert made.notes == ()
    assert made.folder.is_dir()


async def test_a_python_that_is_not_installed_is_downloaded(
    uv: Uv, cache: Path, packages_of: Callable[[str], Packages]
) -> None:
    uv.downloadable = [OTHER]
    made = await make_model_environment(packages_of(OTHER), cache)

    assert uv.asked("python", "install") == [["python", "install", OTHER]]
    assert made.notes == ()


async def test_our_own_python_is_used_as_it_is(
    uv: Uv, cache: Path, packages_of: Callable[[str], Packages]
) -> None:
    made = await make_model_environment(packages_of(HERE), cache)

    (venv,) = uv.asked("venv")
    assert venv[venv.index("--python") + 1] == sys.executable
    assert uv.asked("python") == []
    assert made.notes == ()


async def test_our_own_python_stands_in_for_one_that_cannot_be_had_and_that_is_told(
    uv: Uv, cache: Path, packages_of: Callable[[str], Packages]
) -> None:
    made = await make_model_environment(packages_of(OTHER), cache)

    (venv,) = uv.asked("venv")
    assert venv[venv.index("--python") + 1] == sys.executable
    (note,) = made.notes
    assert f"Python {HERE}, its image on {OTHER}" in note


async def test_a_download_that_failed_is_not_tried_at_every_start(
    uv: Uv, cache: Path, packages_of: Callable[[str], Packages]
) -> None:
    packages = packages_of(OTHER)
    first = await make_model_environment(packages, cache)
    uv.forget()

    assert await make_model_environment(packages, cache) == first
    assert uv.asked("python", "install") == []
    assert uv.asked("venv") == []


async def test_a_python_that_was_installed_since_is_taken(
    uv: Uv, cache: Path, packages_of: Callable[[str], Packages]
) -> None:
    packages = packages_of(OTHER)
    before = await make_model_environment(packages, cache)
    uv.installed = [OTHER]
    after = await make_model_environment(packages, cache)

    assert (len(before.notes), len(after.notes)) == (1, 0)
    assert before.folder != after.folder


async def test_an_environment_is_made_once(
    uv: Uv, cache: Path, packages_of: Callable[[str], Packages]
) -> None:
    packages = packages_of(HERE)
    first = await make_model_environment(packages, cache)
    uv.forget()

    assert await make_model_environment(packages, cache) == first
    assert uv.journal.read_text() == ""


async def test_requirements_that_cannot_be_installed_are_told_and_nothing_is_left(
    uv: Uv, cache: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.txt"
    broken.touch()

    with pytest.raises(ModelEnvironmentError, match=r"(?s)uv pip install .*no such package"):
        await make_model_environment(Packages(folder=tmp_path, python=HERE, files=(broken,)), cache)
    assert list(cache.iterdir()) == []


async def test_python_alone_is_an_environment_too(uv: Uv, cache: Path, tmp_path: Path) -> None:
    await make_model_environment(Packages(folder=tmp_path, python=HERE), cache)

    assert len(uv.asked("venv")) == 1
    assert uv.asked("pip") == []


def test_an_environment_is_shared_by_images_with_the_same_packages_and_python(
    packages_of: Callable[[str], Packages], tmp_path: Path
) -> None:
    packages = packages_of(HERE)
    name = packages.environment_name(HERE)
    assert replace(packages, folder=tmp_path / "other").environment_name(HERE) == name
    assert packages.environment_name(OTHER) != name
    assert replace(packages, constraints="six<1\n").environment_name(HERE) != name
    assert replace(packages, requirements="seven\n").environment_name(HERE) != name
