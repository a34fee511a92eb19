"""What a build sees of a folder, and what it must not see."""

from pathlib import Path

import pytest

from infra.artifacts.image_context import (
    check_no_secrets,
    context_files,
    fingerprint_of_context,
)
from infra.artifacts.model_image import container_context
from infra.artifacts.workspace import ArtifactError

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder that an image is built from."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "server.py").write_text("serve()\n")
    return tmp_path


def _names(context: Path) -> list[str]:
    return [path.relative_to(context).as_posix() for path in context_files(context)]


def test_a_build_sees_everything_that_nothing_ignores(context: Path) -> None:
    assert _names(context) == ["Dockerfile", "app/server.py"]


def test_a_build_sees_only_what_dockerignore_lets_through(context: Path) -> None:
    (context / "app" / "notes.txt").touch()
    (context / ".dockerignore").write_text("# all but the program\n*\n!app\n\n**/*.txt\n")

    assert "app/server.py" in _names(context)
    assert "app/notes.txt" not in _names(context)


def test_what_no_build_sees_makes_no_other_image(context: Path) -> None:
    (context / ".dockerignore").write_text("notes\n")
    before = fingerprint_of_context(context)
    (context / "notes").touch()

    assert fingerprint_of_context(context) == before

    (context / "app" / "server.py").write_text("serve(twice=True)\n")
    assert fingerprint_of_context(context) != before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", "TOKEN=1"),
        ("app/.env.production", "TOKEN=1"),
        (".aws/config", "[default]"),
        ("app/.npmrc", "//registry/:_authToken=1"),
        ("app/deploy", KEY),
        ("app/server.pem", "-----BEGIN PRIVATE KEY-----\n"),
    ],
)
def test_a_secret_is_refused_by_name(context: Path, name: str, content: str) -> None:
    path = context / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)

    with pytest.raises(ArtifactError, match=rf"^{context}: .*: {name}; move it elsewhere$"):
        container_context(context)


def test_a_secret_that_is_ignored_is_none_of_ours(context: Path) -> None:
    (context / ".env").write_text("TOKEN=1")
    (context / ".dockerignore").write_text(".env\n")

    check_no_secrets(context, context)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("app/ca.pem", "-----BEGIN CERTIFICATE-----\n"),
        ("app/environment.py", "TOKEN = None\n"),
        ("weights.bin", KEY + "0" * 20_000),
    ],
)
def test_what_is_no_secret_passes(context: Path, name: str, content: str) -> None:
    (context / name).write_text(content)

    check_no_secrets(context, context)
