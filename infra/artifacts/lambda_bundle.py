"""The archive of all functions, built without Docker: the same input gives the same bytes."""

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.artifacts.bytecode import compile_folder, compiler
from infra.artifacts.workspace import (
    CACHE,
    ROOT,
    built_once,
    fingerprint,
    prune,
    run,
    shipped_files,
    uv,
)

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
_KEPT = 4
"""Archives for one target; a build beside this one may still read the last but one."""

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can tell


@dataclass(frozen=True)
class LambdaTarget:
    """Where an archive will run."""

    name: str
    options: tuple[str, ...]
    """The same, in the words of `uv pip install`."""

    python: str
    """The Python there, as uv takes it."""


CLOUD = LambdaTarget(
    "python3.13-arm64",
    ("--python-platform", "aarch64-manylinux2014", "--python-version", "3.13"),
    python="3.13",
)
"""Lambda on Graviton."""


def target_of(interpreter: Path) -> LambdaTarget:
    """Return the target that is this machine with a given Python."""
    tell = "import sys, sysconfig; print(sys.version.split()[0], sysconfig.get_platform())"
    version, platform = run("reading a Python's version", [str(interpreter), "-c", tell]).split()
    return LambdaTarget(
        f"python{version}-{platform}", ("--python", str(interpreter)), str(interpreter)
    )


def lambda_archive(target: LambdaTarget, cache: Path = CACHE / "bundles") -> Path:
    """Return the archive, named by all that goes into it; build it if it is not there.

    Raises:
        ArtifactError: the dependencies cannot be installed.
    """
    folder = cache / target.name
    compiling = compiler(target.python)
    packages = _installed(target, folder, compiling)
    # Read once: what is edited meanwhile must not end up under the name of what it was.
    own = {name: source.read_bytes() for name, source in _own_files()}
    digests = (f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in own.items())
    name = fingerprint(packages.name, Path(__file__).read_text(), *digests)

    def build(path: Path) -> None:
        content = {name: source.read_bytes() for name, source in _package_files(packages)}
        content |= own if compiling is None else _with_bytecode(own, compiling)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for entry in sorted(content):
                _add(archive, entry, content[entry])

    return _in_use(built_once(folder / f"functions-{name}.zip", build), "functions-*.zip")


def _installed(target: LambdaTarget, folder: Path, compiling: Sequence[str] | None) -> Path:
    omitted = [part for name in _IN_THE_RUNTIME for part in ("--no-emit-package", name)]
    requirements = run(
        "reading the functions' dependencies",
        uv(
            *("export", "--frozen", "--no-default-groups", "--only-group", "functions"),
            *("--no-emit-project", "--no-header", "--no-annotate", *omitted),
        ),
    )

    def install(folder: Path) -> None:
        run(
            "installing the functions' dependencies",
            uv(
                *("pip", "install", "--quiet", "--target", str(folder), *target.options),
                *("--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", "-"),
            ),
            stdin=requirements,
        )
        shutil.rmtree(folder / "bin", ignore_errors=True)
        if compiling is not None:
            compile_folder(folder, compiling)

    how = "compiled" if compiling else "as source"
    packages = folder / f"packages-{fingerprint(requirements, how, *target.options)}"
    return _in_use(built_once(packages, install), "packages-*")


def _in_use(path: Path, alike: str) -> Path:
    path.touch()
    prune(path.parent, alike, keep=_KEPT)
    return path


def _package_files(packages: Path) -> Iterator[tuple[str, Path]]:
    for path in packages.rglob("*"):
        if path.is_file() and path.name not in _TRACES_OF_INSTALLING:
            yield path.relative_to(packages).as_posix(), path


def _with_bytecode(sources: Mapping[str, bytes], compiling: Sequence[str]) -> Mapping[str, bytes]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, content in sources.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        compile_folder(folder, compiling)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }


def _own_files() -> Iterator[tuple[str, Path]]:
    library = ROOT / "penstock"
    yield "penstock/__init__.py", library / "__init__.py"
    for folder in (*(library / name for name in _SOURCES), ROOT / "functions"):
        for path in shipped_files(folder):
            if _FOR_TESTS not in path.parents:
                yield path.relative_to(ROOT).as_posix(), path


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, compresslevel=9)
