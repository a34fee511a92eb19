"""A Dockerfile, as far as a process on this machine can follow its last stage."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path, PurePosixPath
from string import Template

from dockerfile_parse import DockerfileParser

from penstock.contracts.json_text import NotJsonError, parse_json
from penstock.local.pods.workload import WorkloadError

_PYTHON = re.compile(r"(?:^|/)python:(3\.\d+)")
_HERE_DOCUMENT = re.compile(r"<<-?[\"']?\w")
_WITHOUT_EFFECT = {
    "ARG", "COMMENT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "USER", "VOLUME",
}  # fmt: skip
"""On a process here; environment variables are read apart."""

_PIP = (["pip"], ["pip3"], ["python", "-m", "pip"], ["python3", "-m", "pip"], ["uv", "pip"])
_PIP_FLAGS = {"--no-cache-dir", "--no-cache", "--upgrade", "-U", "--quiet", "-q", "--system"}
_COPY_FLAGS = ("--chown=", "--chmod=", "--link")


@dataclass(frozen=True)
class Copy:
    """Files of the build context that lie in the image."""

    sources: tuple[str, ...]
    target: PurePosixPath
    is_folder: bool
    """Whether `target` is one even for a single file."""


@dataclass
class Dockerfile:
    """What its last stage says."""

    base: str
    environment: Mapping[str, str]
    folder: PurePosixPath = field(default_factory=lambda: PurePosixPath("/"))
    """Where the program runs."""

    copies: list[Copy] = field(default_factory=list)
    requirement_files: list[str] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What it says that is not followed."""

    @classmethod
    def read(cls, file: Path) -> "Dockerfile":
        """Read it.

        Raises:
            WorkloadError: it has no stage, or says something that cannot be told apart.
        """
        parser = DockerfileParser(fileobj=StringIO(file.read_text()))
        if parser.baseimage is None:
            raise WorkloadError(f"{file}: there is no FROM")
        read = cls(base=parser.baseimage, environment=dict(parser.envs))
        if "PATH" in read.environment:
            read.environment = {n: v for n, v in read.environment.items() if n != "PATH"}
            read.notes.append("ENV PATH is not followed")
        for instruction, value in _last_stage(parser):
            if _HERE_DOCUMENT.search(value):
                raise WorkloadError(f"{file}: here-documents are not followed locally")
            read._follow(instruction, value)
        return read

    @property
    def python(self) -> str | None:
        """The Python of its base image, as in `3.13`, where its tag says so."""
        found = _PYTHON.search(self.base)
        return found[1] if found else None

    def argv(self, command: tuple[str, ...], args: tuple[str, ...]) -> list[str]:
        """Return the command line of a container that may declare its own (as in Kubernetes)."""
        if command:
            return [*command, *args]
        return [*self.entrypoint, *(args or self.command)]

    def _follow(self, instruction: str, value: str) -> None:
        said = Template(value).safe_substitute(self.environment)
        match instruction:
            case "WORKDIR":
                self.folder /= said.strip("\"'")
            case "COPY" | "ADD":
                self._copy(instruction, said)
            case "RUN":
                self._run(value)
            case "ENTRYPOINT":
                self.entrypoint = self._exec_form(instruction, value)
            case "CMD":
                self.command = self._exec_form(instruction, value)
            case _ if instruction not in _WITHOUT_EFFECT:
                self._pass_over(instruction, value)

    def _copy(self, instruction: str, said: str) -> None:
        words = said.split()
        flags = [word for word in words if word.startswith("--")]
        rest = said.split(maxsplit=len(flags))[-1] if flags else said
        places = _listed(rest) or rest.split()
        is_foreign = any(not flag.startswith(_COPY_FLAGS) for flag in flags)
        is_remote = any("://" in place or ".tar" in place for place in places)
        if is_foreign or (instruction == "ADD" and is_remote) or len(places) < 2:  # noqa: PLR2004 - from and to
            self._pass_over(instruction, said)
            return
        *sources, target = places
        is_folder = len(sources) > 1 or target.endswith(("/", "."))
        self.copies.append(Copy(tuple(sources), self.folder / target, is_folder))

    def _run(self, value: str) -> None:
        try:
            words = shlex.split(value)
        except ValueError:
            words = []
        wanted = _installed(words)
        if wanted is None:
            self._pass_over("RUN", value)
            return
        files, requirements = wanted
        self.requirement_files += files
        self.requirements += requirements

    def _exec_form(self, instruction: str, value: str) -> list[str]:
        words = _listed(value.strip())
        if words is None:
            self._pass_over(instruction, f"{value} (only the JSON form is)")
        return words or []

    def _pass_over(self, instruction: str, value: str) -> None:
        self.notes.append(f"{instruction} {value} is not followed")


def _listed(text: str) -> list[str] | None:
    """Return the words of the JSON form; `None` if this is, as for Docker, the shell form."""
    try:
        words = parse_json(text) if text.startswith("[") else None
    except NotJsonError:
        return None
    return [str(word) for word in words] if words is not None else None


def _last_stage(parser: DockerfileParser) -> Iterator[tuple[str, str]]:
    said = [(str(each["instruction"]), str(each["value"]).strip()) for each in parser.structure]
    begins = max(n for n, (instruction, _) in enumerate(said) if instruction == "FROM")
    yield from said[begins + 1 :]


def _installed(words: list[str]) -> tuple[list[str], list[str]] | None:
    """Return the requirement files and requirements of a plain `pip install`."""
    for pip in _PIP:
        if words[: len(pip) + 1] == [*pip, "install"]:
            return _asked_of_pip(words[len(pip) + 1 :])
    return None


def _asked_of_pip(words: list[str]) -> tuple[list[str], list[str]] | None:
    files, requirements = [], []
    rest = iter(words)
    for word in rest:
        if word in {"-r", "--requirement"}:
            files.append(next(rest, ""))
        elif (word.startswith("-") and word not in _PIP_FLAGS) or word in {"&&", ";", "|", "||"}:
            return None
        elif not word.startswith("-"):
            requirements.append(word)
    return files, requirements
