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

journal, installed, downloadable, refused, *command = sys.argv[1:]
with Path(journal).open("a") as lines:
    print(json.dumps([command, sorted(path.name for path in Path.cwd().iterdir())]), file=lines)
match command:
    case ["python", "find", *_, version] if version not in installed.split():
        sys.exit("no such Python")
    case ["python", "install", version] if version not in downloadable.split():
        sys.exit("no network")
    case ["venv", *_, folder]:
        Path(folder).mkdir()
    case ["pip", *_] if refused:
        sys.exit(f"you require {refused}, which is nowhere")
"""


@dataclass
class Uv:
    """A uv that knows some versions of Python and writes down what it is asked."""

    journal: Path
    installed: Sequence[str] = ()
    downloadable: Sequence[str] = ()
    refused: str = ""
    """The package that no index has."""

    def command(self, *arguments: str) -> list[str]:
        known = [" ".join(self.installed), " ".join(self.downloadable), self.refused]
        return [sys.executable, "-c", FAKE_UV, str(self.journal), *known, *arguments]

    def asked(self, first: str, *more: str) -> list[list[str]]:
        wanted = [first, *more]
        return [command for command, _ in self._lines() if command[: len(wanted)] == wanted]

    def folders(self) -> list[tuple[str, ...]]:
        """What lay where packages were installed."""
        return [tuple(names) for command, names in self._lines() if command[0] == "pip"]

    def _lines(self) -> list[tuple[list[str], list[str]]]:
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

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
            owner=tmp_path / "echo",
            python=version,
            files={"requirements.txt": "six\n", "constraints.txt": "six<2\n"},
            installs=(("-r", "requirements.txt", "-c", "constraints.txt"),),
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


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"asked.txt": "six\nno_such.Package==1 # so\n"}, "no_such.Package==1"),
        (
            {"pyproject.toml": "[project]\ndependencies = ['No-such-package>2']\n"},
            "No-such-package>2",
        ),
        ({"no-such-package": ""}, "no-such-package"),
        ({"asked.txt": "other\n"}, None),
    ],
)
async def test_a_requirement_that_cannot_be_installed_is_named_with_its_directory(
    uv: Uv, cache: Path, files: dict[str, str], named: str | None
) -> None:
    uv.refused = "no-such-package"
    (file,) = files
    install = ("-r", file) if "." in file else (file,)
    packages = Packages(owner=Path("models/echo"), python=HERE, files=files, installs=(install,))

    with pytest.raises(ModelEnvironmentError) as refused:
        await make_model_environment(packages, cache)

    what = f"requirement {named}" if named else "its requirements"
    assert str(refused.value) == (
        f"models/echo: {what} cannot be installed; uv says:\n"
        "you require no-such-package, which is nowhere"
    )
    assert list(cache.iterdir()) == []


def test_a_requirement_without_a_name_is_known_by_its_address() -> None:
    packages = Packages(
        owner=Path("echo"), python=HERE, installs=(("six", "git+https://x.test/a.git"),)
    )
    assert packages.named_in("error: cannot fetch https://x.test/a.git (HEAD)") == [
        "git+https://x.test/a.git"
    ]


async def test_requirements_are_installed_one_after_the_other_as_in_the_image(
    uv: Uv, cache: Path, tmp_path: Path
) -> None:
    packages = Packages(
        owner=tmp_path,
        python=HERE,
        files={"mine.txt": "six\n", "requirements.txt": "seven\n", "constraints.txt": ""},
        installs=(("-r", "mine.txt"), ("-r", "requirements.txt", "-c", "constraints.txt")),
    )
    await make_model_environment(packages, cache)

    assert [install[-4:] for install in uv.asked("pip", "install")] == [
        ["--index-strategy", "unsafe-best-match", "-r", "mine.txt"],
        ["-r", "requirements.txt", "-c", "constraints.txt"],
    ]
    assert set(uv.folders()) == {("constraints.txt", "mine.txt", "requirements.txt")}


async def test_a_lock_says_what_is_installed(uv: Uv, cache: Path, tmp_path: Path) -> None:
    packages = Packages(
        owner=tmp_path,
        python=HERE,
        files={"uv.lock": "", "pyproject.toml": ""},
        installs=(("-r", Packages.LOCKED),),
    )
    await make_model_environment(packages, cache)

    (export,) = uv.asked("export")
    assert "--frozen" in export
    assert export[-2:] == ["--output-file", Packages.LOCKED]
    assert uv.asked("pip", "install")[0][-2:] == ["-r", Packages.LOCKED]


def test_an_environment_is_shared_by_images_with_the_same_packages_and_python(
    packages_of: Callable[[str], Packages], tmp_path: Path
) -> None:
    packages = packages_of(HERE)
    name = packages.environment_name(HERE)
    assert replace(packages, owner=tmp_path / "other").environment_name(HERE) == name
    assert packages.environment_name(OTHER) != name
    files = {**packages.files, "constraints.txt": "six<1\n"}
    assert replace(packages, files=files).environment_name(HERE) != name
    assert replace(packages, installs=(("seven",),)).environment_name(HERE) != name
