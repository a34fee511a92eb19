"""The archive of all functions, built without Docker: the same input gives the same bytes."""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.artifacts.workspace import CACHE, ROOT, built_once, fingerprint, run, shipped_files

_SOURCES = ("contracts", "protocol", "adapters", "dialects")  # of the library
_FOR_TESTS = ROOT / "penstock" / "adapters" / "in_memory"
# Lambda's Python comes with boto3; its 14 MB would be three quarters of the archive.
_IN_THE_RUNTIME = ("boto3", "botocore", "s3transfer")
# They differ from one installation to the next.
_TRACES_OF_INSTALLING = {
    ".lock",
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
    "uv_cache.json",
}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can tell


@dataclass(frozen=True)
class LambdaTarget:
    """Where an archive will run."""

    name: str
    options: tuple[str, ...]
    """The same, in the words of `uv pip install`."""


CLOUD = LambdaTarget(
    "python3.13-arm64",
    ("--python-platform", "aarch64-manylinux2014", "--python-version", "3.13"),
)
"""Lambda on Graviton."""


def target_of(interpreter: Path) -> LambdaTarget:
    """Return the target that is this machine with a given Python."""
    tell = "import sys, sysconfig; print(sys.version.split()[0], sysconfig.get_platform())"
    version, platform = run("reading a Python's version", [str(interpreter), "-c", tell]).split()
    return LambdaTarget(f"python{version}-{platform}", ("--python", str(interpreter)))


def lambda_archive(target: LambdaTarget, cache: Path = CACHE / "bundles") -> Path:
    """Build the archive and return where it lies; its name tells its content.

    Raises:
        ArtifactError: the dependencies cannot be installed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    packages = _installed(target, cache)
    with tempfile.NamedTemporaryFile(dir=cache, suffix=".zip", delete=False) as unfinished:
        path = Path(unfinished.name)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, source in sorted(_content(packages)):
                _add(archive, name, source)
        content = hashlib.sha256(path.read_bytes()).hexdigest()[:20]
        return path.replace(cache / f"functions-{target.name}-{content}.zip")
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _installed(target: LambdaTarget, cache: Path) -> Path:
    omitted = [part for name in _IN_THE_RUNTIME for part in ("--no-emit-package", name)]
    requirements = run(
        "reading the functions' dependencies",
        [
            *("uv", "export", "--frozen", "--no-default-groups", "--only-group", "functions"),
            *("--no-emit-project", "--no-header", "--no-annotate", *omitted),
        ],
    )

    def install(folder: Path) -> None:
        run(
            "installing the functions' dependencies",
            [
                *("uv", "pip", "install", "--quiet", "--target", str(folder), *target.options),
                *("--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", "-"),
            ],
            stdin=requirements,
        )

    return built_once(cache / fingerprint(requirements, *target.options, target.name), install)


def _content(packages: Path) -> Iterator[tuple[str, Path]]:
    for path in shipped_files(packages):
        if path.name not in _TRACES_OF_INSTALLING and path.parts[len(packages.parts)] != "bin":
            yield path.relative_to(packages).as_posix(), path
    library = ROOT / "penstock"
    yield "penstock/__init__.py", library / "__init__.py"
    for folder in (*(library / name for name in _SOURCES), ROOT / "functions"):
        for path in shipped_files(folder):
            if _FOR_TESTS not in path.parents:
                yield path.relative_to(ROOT).as_posix(), path


def _add(archive: zipfile.ZipFile, name: str, source: Path) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, source.read_bytes(), compresslevel=9)
