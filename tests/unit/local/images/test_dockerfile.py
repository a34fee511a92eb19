from pathlib import Path, PurePosixPath

import pytest

from penstock.local.pods.images.dockerfile import Copy, Dockerfile
from penstock.local.pods.workload import WorkloadError


def read(folder: Path, *lines: str) -> Dockerfile:
    file = folder / "Dockerfile"
    file.write_text("\n".join(lines) + "\n")
    return Dockerfile.read(file)


def test_a_program_is_read_with_its_folder_files_variables_and_command(tmp_path: Path) -> None:
    said = read(
        tmp_path,
        "# syntax=docker/dockerfile:1",
        "FROM python:3.12-slim",
        "ARG VERSION=7",
        "ENV THREADS=2 \\",
        '    TITLE="an echo" RELEASE=$VERSION',
        "WORKDIR /srv",
        "WORKDIR app",
        "COPY requirements.txt ./",
        "RUN pip install --no-cache-dir -r requirements.txt",
        "COPY --chown=10001 server.py data/ ${THREADS}/",
        "EXPOSE 8080",
        "USER 10001",
        'ENTRYPOINT ["python"]',
        'CMD ["server.py", "--fast"]',
    )
    assert said.python == "3.12"
    assert said.environment == {"THREADS": "2", "TITLE": "an echo", "RELEASE": "7"}
    assert said.folder == PurePosixPath("/srv/app")
    assert said.copies == [
        Copy(("requirements.txt",), PurePosixPath("/srv/app"), is_folder=True),
        Copy(("server.py", "data/"), PurePosixPath("/srv/app/2"), is_folder=True),
    ]
    assert (said.requirement_files, said.requirements) == (["requirements.txt"], [])
    assert said.argv((), ()) == ["python", "server.py", "--fast"]
    assert said.notes == []


def test_only_the_last_stage_counts(tmp_path: Path) -> None:
    said = read(
        tmp_path,
        "ARG TAG=3.13",
        "FROM node:22 AS page",
        "RUN npm run build",
        'CMD ["node"]',
        "FROM public.ecr.aws/docker/library/python:${TAG}-slim",
        "COPY --from=page /dist /app/dist",
        'CMD ["python", "-m", "app"]',
    )
    assert said.python == "3.13"
    assert said.argv((), ()) == ["python", "-m", "app"]
    assert said.copies == []
    assert said.notes == ["COPY --from=page /dist /app/dist is not followed"]


@pytest.mark.parametrize(
    ("line", "files", "requirements"),
    [
        ("pip install flask==3.1 'uvicorn[standard]>=0.30'", [], None),
        ("python -m pip install -q -r a.txt -r b.txt", ["a.txt", "b.txt"], []),
        ("uv pip install --system numpy", [], ["numpy"]),
    ],
)
def test_what_pip_installs_is_installed(
    tmp_path: Path, line: str, files: list[str], requirements: list[str] | None
) -> None:
    said = read(tmp_path, "FROM python:3.13", f"RUN {line}")
    expected = ["flask==3.1", "uvicorn[standard]>=0.30"] if requirements is None else requirements
    assert (said.requirement_files, said.requirements) == (files, expected)
    assert said.notes == []


@pytest.mark.parametrize(
    "line",
    [
        "RUN apt-get update && apt-get install -y ffmpeg",
        "RUN pip install --index-url https://index.test flask",
        "RUN pip install flask && rm -rf /root/.cache",
        "ADD https://files.test/weights.bin /weights.bin",
        "ADD weights.tar.gz /weights",
        "STOPSIGNAL SIGINT",
        'SHELL ["/bin/bash", "-c"]',
    ],
)
def test_what_a_process_cannot_follow_is_told(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, "FROM python:3.13", line).notes == [f"{line} is not followed"]


def test_a_search_path_of_the_image_is_not_ours(tmp_path: Path) -> None:
    said = read(tmp_path, "FROM python:3.13", "ENV PATH=/opt/bin:$PATH A=1")
    assert said.environment == {"A": "1"}
    assert said.notes == ["ENV PATH is not followed"]


def test_a_command_for_a_shell_is_told_and_not_run(tmp_path: Path) -> None:
    said = read(tmp_path, "FROM python:3.13", "CMD python server.py --port $PORT")
    assert said.argv((), ()) == []
    assert "only the JSON form" in said.notes[0]


def test_a_pod_replaces_entry_point_and_command_as_in_kubernetes(tmp_path: Path) -> None:
    said = read(tmp_path, "FROM python:3.13", 'CMD ["a.py"]', 'ENTRYPOINT ["python"]')
    assert said.argv((), ()) == ["python", "a.py"]
    assert said.argv((), ("serve",)) == ["python", "serve"]
    assert said.argv(("python3", "b.py"), ()) == ["python3", "b.py"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["RUN true"], "there is no FROM"),
        (["FROM python:3.13", "RUN <<EOF", "echo 1", "EOF"], "here-documents"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(
    tmp_path: Path, lines: list[str], reason: str
) -> None:
    with pytest.raises(WorkloadError, match=reason):
        read(tmp_path, *lines)


def test_a_list_that_is_not_json_is_passed_over_like_the_shell_form(tmp_path: Path) -> None:
    said = read(tmp_path, "FROM python:3.12-slim", "CMD ['python', 'server.py']")
    assert said.command == []
    assert "CMD ['python', 'server.py'] (only the JSON form is) is not followed" in said.notes
