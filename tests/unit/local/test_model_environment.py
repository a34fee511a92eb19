import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from penstock.local.pods import model_environment
from penstock.local.pods.model_environment import (
    ModelEnvironmentError,
    environment_name,
    make_model_environment,
    python_version,
    requirements_of,
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
def context_of(tmp_path: Path) -> Callable[[str], Path]:
    """Make a context whose image has some version of Python."""

    def make(version: str) -> Path:
        folder = tmp_path / f"context-{version}"
        folder.mkdir()
        config = {"python_version": f"py{version.replace('.', '')}"}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        requirements = "-i https://index.test\n--extra-index-url u\nsix\n"
        (folder / "requirements.txt").write_text(requirements)
        (folder / "constraints.txt").write_text("six<2\n")
        return folder

    return make


async def test_a_model_runs_on_the_python_of_its_image(
    uv: Uv, cache: Path, context_of: Callable[[str], Path]
) -> None:
    uv.installed = [OTHER]
    made = await make_model_environment(context_of(OTHER), cache)

    (venv,) = uv.asked("venv")
    assert venv[venv.index("--python") + 1] == OTHER
    assert made.notes == ()
    assert made.folder.is_dir()


async def test_a_python_that_is_not_installed_is_downloaded(
    uv: Uv, cache: Path, context_of: Callable[[str], Path]
) -> None:
    uv.downloadable = [OTHER]
    made = await make_model_environment(context_of(OTHER), cache)

    assert uv.asked("python", "install") == [["python", "install", OTHER]]
    assert made.notes == ()


async def test_our_own_python_is_used_as_it_is(
    uv: Uv, cache: Path, context_of: Callable[[str], Path]
) -> None:
    made = await make_model_environment(context_of(HERE), cache)

    (venv,) = uv.asked("venv")
    assert venv[venv.index("--python") + 1] == sys.executable
    assert uv.asked("python") == []
    assert made.notes == ()


async def test_our_own_python_stands_in_for_one_that_cannot_be_had_and_that_is_told(
    uv: Uv, cache: Path, context_of: Callable[[str], Path]
) -> None:
    made = await make_model_environment(context_of(OTHER), cache)

    (venv,) = uv.asked("venv")
    assert venv[venv.index("--python") + 1] == sys.executable
    (note,) = made.notes
    assert f"Python {HERE}, its image on {OTHER}" in note


async def test_a_download_that_failed_is_not_tried_at_every_start(
    uv: Uv, cache: Path, context_of: Callable[[str], Path]
) -> None:
    context = context_of(OTHER)
    first = await make_model_environment(context, cache)
    uv.forget()

    assert await make_model_environment(context, cache) == first
    assert uv.asked("python", "install") == []
    assert uv.asked("venv") == []


async def test_a_python_that_was_installed_since_is_taken(
    uv: Uv, cache: Path, context_of: Callable[[str], Path]
) -> None:
    context = context_of(OTHER)
    before = await make_model_environment(context, cache)
    uv.installed = [OTHER]
    after = await make_model_environment(context, cache)

    assert (len(before.notes), len(after.notes)) == (1, 0)
    assert before.folder != after.folder


async def test_an_environment_is_made_once(
    uv: Uv, cache: Path, context_of: Callable[[str], Path]
) -> None:
    context = context_of(HERE)
    first = await make_model_environment(context, cache)
    uv.forget()

    assert await make_model_environment(context, cache) == first
    assert uv.journal.read_text() == ""


async def test_requirements_that_cannot_be_installed_are_told_and_nothing_is_left(
    uv: Uv, cache: Path, context_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_environment, "_OF_THE_MODEL", ("broken.txt",))
    context = context_of(HERE)
    (context / "broken.txt").touch()

    with pytest.raises(ModelEnvironmentError, match=r"(?s)uv pip install .*no such package"):
        await make_model_environment(context, cache)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("version", ["3.9", "3.11", "3.14"])
def test_the_version_is_read_as_truss_writes_it(
    context_of: Callable[[str], Path], version: str
) -> None:
    assert python_version(context_of(version)) == version


def test_the_users_own_index_is_used_and_further_ones_are_kept(
    context_of: Callable[[str], Path],
) -> None:
    assert requirements_of(context_of(HERE)) == "--extra-index-url u\nsix\n"


def test_an_environment_is_shared_by_contexts_with_the_same_packages_and_python(
    context_of: Callable[[str], Path],
) -> None:
    context = context_of(HERE)
    before = environment_name(context, HERE)
    (context / "model.py").write_text("changed = True")
    assert environment_name(context, HERE) == before
    assert environment_name(context, OTHER) != before

    (context / "constraints.txt").write_text("six<1\n")
    assert environment_name(context, HERE) != before
