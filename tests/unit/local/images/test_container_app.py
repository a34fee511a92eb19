from pathlib import Path

import pytest

from penstock.local.pods.images.container_app import ContainerContext
from penstock.local.pods.images.model_environment import OWN_PYTHON
from penstock.local.pods.workload import WorkloadError

PYTHON = Path("/venv/bin/python")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    for name in ("app", "app/__pycache__", "weights"):
        (folder / name).mkdir(parents=True)
    for name in ("server.py", "requirements.txt", "app/a.py", "app/__pycache__/a.pyc", "weights/w"):
        (folder / name).write_text(name)
    return folder


def opened(folder: Path, *lines: str) -> ContainerContext:
    (folder / "Dockerfile").write_text("\n".join(("FROM python:3.12", *lines)) + "\n")
    context = ContainerContext.at(folder)
    assert context is not None
    return context


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        (["COPY server.py ."], ["srv/server.py"]),
        (["COPY server.py main.py"], ["srv/main.py"]),
        (["COPY server.py /opt/x/"], ["opt/x/server.py"]),
        (["COPY *.py requirements.txt ./"], ["srv/requirements.txt", "srv/server.py"]),
        (["COPY app app"], ["srv/app/a.py"]),
        (["COPY app ./", "COPY weights /weights"], ["srv/a.py", "weights/w"]),
        (['COPY ["server.py", "/my files/"]'], ["my files/server.py"]),
        (["ADD ./weights ."], ["srv/w"]),
    ],
)
def test_files_lie_as_in_the_image(
    folder: Path, tmp_path: Path, copies: list[str], expected: list[str]
) -> None:
    root = tmp_path / "root"
    home = opened(folder, "WORKDIR /srv", *copies).lay_out(root)
    assert home == root / "srv"
    assert files(root) == expected


def test_a_whole_directory_is_copied_without_what_was_compiled(
    folder: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    context = opened(folder, "WORKDIR /srv", "COPY . .")
    context.lay_out(root)
    (root / "left-behind").touch()
    context.lay_out(root)
    named = ["Dockerfile", "app/a.py", "requirements.txt", "server.py", "weights/w"]
    assert files(root) == [f"srv/{name}" for name in named]


@pytest.mark.parametrize("copy", ["COPY gone.py .", "COPY ../secret ."])
def test_a_file_that_is_not_in_the_context_is_refused(
    folder: Path, tmp_path: Path, copy: str
) -> None:
    (tmp_path / "secret").touch()
    with pytest.raises(WorkloadError, match="there is no such file"):
        opened(folder, copy).lay_out(tmp_path / "root")


def test_paths_of_the_image_are_found_where_they_lie_here(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    context = opened(
        folder, "ENV PYTHONPATH=/srv:/gone MODELS=/srv/weights", "WORKDIR /srv", "COPY . ."
    )
    context.lay_out(root)
    command = ["/usr/local/bin/python3.12", "/srv/server.py", "/gone", "-u"]
    assert context.argv(PYTHON, root, command) == [
        str(PYTHON), str(root / "srv/server.py"), "/gone", "-u",
    ]  # fmt: skip
    environment = context.environment(root, 50_001)
    assert environment["PYTHONPATH"] == f"{root}/srv:/gone"
    assert environment["MODELS"] == f"{root}/srv/weights"


def test_a_program_is_told_its_port_in_the_usual_variables(folder: Path, tmp_path: Path) -> None:
    environment = opened(folder, "ENV PORT=8080").environment(tmp_path, 50_001)
    assert (environment["PORT"], environment["SAGEMAKER_BIND_TO_PORT"]) == ("50001", "50001")


@pytest.mark.parametrize("command", [[], ["uvicorn", "app:app"], ["/bin/python-like"]])
def test_only_python_runs_without_docker(folder: Path, tmp_path: Path, command: list[str]) -> None:
    with pytest.raises(WorkloadError, match="begins with python"):
        opened(folder).argv(PYTHON, tmp_path, command)


def test_the_packages_are_those_that_its_pip_installs(folder: Path) -> None:
    packages = opened(
        folder, "RUN pip install -r /tmp/requirements.txt", "RUN pip install six"
    ).packages
    assert packages.python == "3.12"
    assert packages.files == {"requirements.txt": "requirements.txt"}
    assert packages.folder == packages.owner == folder
    assert packages.installs == (("-r", "requirements.txt", "six"),)


def test_requirements_that_are_not_there_are_refused(folder: Path) -> None:
    with pytest.raises(WorkloadError, match=r"-r gone\.txt: there is no such file"):
        _ = opened(folder, "RUN pip install -r gone.txt").packages


def test_what_differs_from_the_image_is_told(folder: Path) -> None:
    (folder / ".dockerignore").write_text("weights\n")
    (folder / "Dockerfile").write_text("FROM nvidia/cuda:13.0\nRUN make\n")
    context = ContainerContext.at(folder)
    assert context is not None
    assert context.packages.python == OWN_PYTHON
    assert context.notes == (
        "RUN make is not followed",
        f"FROM nvidia/cuda:13.0 is not followed: it runs on Python {OWN_PYTHON}",
        ".dockerignore is not followed",
    )


def test_a_folder_without_a_dockerfile_is_no_context(tmp_path: Path) -> None:
    assert ContainerContext.at(tmp_path) is None
