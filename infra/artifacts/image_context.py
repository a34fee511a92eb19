"""What a build sees of the folder that an image is made of; secrets are not among it."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from docker.utils.build import exclude_paths

from infra.artifacts.workspace import ArtifactError, fingerprint_of_files

_KEPT_SECRET = (".env", ".env.*", ".git-credentials", ".netrc", ".npmrc", ".pypirc", "kubeconfig")
_FOLDERS_OF_SECRETS = {".aws", ".docker", ".kube", ".ssh"}
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_LONGEST_KEY_BYTES = 16_384


def context_files(context: Path) -> Iterator[Path]:
    """Yield the files that `.dockerignore` lets through, in a fixed order."""
    ignore = context / ".dockerignore"
    lines = map(str.strip, ignore.read_text().splitlines()) if ignore.is_file() else ()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for name in sorted(exclude_paths(str(context), patterns)):
        if (path := context / name).is_file():
            yield path


def fingerprint_of_context(context: Path) -> str:
    """Return a short name for what a build sees."""
    return fingerprint_of_files(context, context_files(context))


def check_no_secrets(context: Path, source: Path) -> None:
    """Refuse `context`, made of `source`, if it holds secrets: an image keeps them for ever.

    Raises:
        ArtifactError: something looks like one.
    """
    names = [path.relative_to(context) for path in context_files(context)]
    if found := ", ".join(n.as_posix() for n in names if _looks_secret(n, context / n)):
        raise ArtifactError(
            f"{source}: what looks like a secret would be sent to the build of an image: {found};"
            " move it elsewhere"
        )


def _looks_secret(name: Path, path: Path) -> bool:
    if _FOLDERS_OF_SECRETS & set(name.parts):
        return True
    if any(fnmatch(name.name, pattern) for pattern in _KEPT_SECRET):
        return True
    is_short = path.stat().st_size <= _LONGEST_KEY_BYTES
    return is_short and bool(_PRIVATE_KEY.search(path.read_bytes()))
