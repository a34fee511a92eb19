"""Built things are there as a whole or not at all."""

import os
import sys
from pathlib import Path

import pytest

from infra.artifacts.workspace import (
    ArtifactError,
    built_once,
    fingerprint,
    fingerprint_of,
    prune,
    run,
    shipped_files,
    uv,
)


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def half_done(folder: Path) -> None:
        folder.mkdir()
        (folder / "part").touch()
        raise ArtifactError("no")

    with pytest.raises(ArtifactError):
        built_once(tmp_path / "cache" / "thing", half_done)

    assert list((tmp_path / "cache").iterdir()) == []


def test_what_is_built_is_not_built_again(tmp_path: Path) -> None:
    builds: list[Path] = []

    def build(folder: Path) -> None:
        builds.append(folder)
        folder.mkdir()

    assert built_once(tmp_path / "thing", build) == built_once(tmp_path / "thing", build)
    assert len(builds) == 1


def test_of_two_builders_of_the_same_the_first_wins(tmp_path: Path) -> None:
    target = tmp_path / "thing"

    def slower(folder: Path) -> None:
        folder.mkdir()
        (folder / "slower").touch()
        target.mkdir()
        (target / "faster").touch()

    assert [path.name for path in built_once(target, slower).iterdir()] == ["faster"]


def test_a_command_that_fails_is_quoted_with_its_complaint() -> None:
    with pytest.raises(ArtifactError, match=r"(?s)^trying: .* failed:\n.*out of luck"):
        run("trying", [sys.executable, "-c", "import sys; sys.exit('out of luck')"])


def test_a_command_that_is_not_installed_is_named() -> None:
    with pytest.raises(ArtifactError, match="trying: no-such-command is not installed"):
        run("trying", ["no-such-command"])


def test_a_fingerprint_tells_content_and_place_but_not_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "file").write_text("x")
    same = fingerprint_of(tmp_path / "a")
    assert fingerprint_of(tmp_path / "b") == same

    (tmp_path / "b" / "deep" / "file").rename(tmp_path / "b" / "file")
    assert fingerprint_of(tmp_path / "b") != same
    assert fingerprint("ab", "c") != fingerprint("a", "bc")


def test_caches_are_not_shipped(tmp_path: Path) -> None:
    for name in ("kept.py", "__pycache__/kept.pyc", ".git/config", ".venv/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert [path.name for path in shipped_files(tmp_path)] == ["kept.py"]


def test_of_what_is_alike_the_newest_are_kept(tmp_path: Path) -> None:
    for age, name in enumerate(["thing-new", "thing-last", "thing-old", "thing-older", "other"]):
        path = tmp_path / name
        path.mkdir() if name == "thing-old" else path.touch()
        os.utime(path, (1_000 - age, 1_000 - age))

    prune(tmp_path, "thing-*", keep=2)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "thing-last", "thing-new"]


def test_uv_is_found_where_none_is_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert run("asking uv", uv("--version")).startswith("uv ")
