from pathlib import Path

import pytest
import yaml

from penstock.local.pods.images.model_environment import Packages
from penstock.local.pods.images.truss_app import TrussContext
from penstock.local.pods.workload import WorkloadError

CONFIG = {"python_version": "py310", "environment_variables": {"THREADS": "2"}}

# What Truss writes for `model_module_dir: src`, `data_dir: files`, `bundled_packages_dir: libs`.
DOCKERFILE = """
COPY --chown=root:root ./requirements.txt requirements.txt
COPY --chown=root:root ./files ${APP_HOME}/data
COPY --chown=root:root ./server ${APP_HOME}
COPY --chown=root:root ./src ${APP_HOME}/model
COPY --chown=root:root ./libs /packages
COPY --chown=60000:60000 ./config.yaml ${APP_HOME}/config.yaml
"""
OWNER = Path("models/echo")
CONSTRAINED = ("-c", "constraints.txt")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    for name in ("server/main.py", "src/model.py", "libs/own.py", "files/weights"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    (folder / "requirements.txt").write_text("-i https://index.test\n--extra-index-url u\nsix\n")
    (folder / "constraints.txt").write_text("six<2\n")
    return folder


def opened(context: Path) -> TrussContext:
    truss = TrussContext.at(context)
    assert truss is not None
    return truss


def test_the_app_lies_as_in_the_image_whatever_its_folders_are_called(
    context: Path, tmp_path: Path
) -> None:
    app = tmp_path / "pod" / "app"
    opened(context).lay_out(app)

    found = sorted(str(path.relative_to(tmp_path / "pod")) for path in (app.parent).rglob("*"))
    assert found == [
        "app", "app/config.yaml", "app/data", "app/data/weights", "app/main.py", "app/model",
        "app/model/model.py", "packages", "packages/own.py",
    ]  # fmt: skip


def test_large_data_is_not_copied(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.local.pods.images.truss_app._MOST_COPIED_BYTES", 2)
    (context / "files" / "weights").write_text("123")
    opened(context).lay_out(tmp_path / "app")

    assert (tmp_path / "app" / "data").readlink() == context / "files"


def test_an_app_without_packages_has_an_empty_folder_of_them_as_in_the_image(
    context: Path, tmp_path: Path
) -> None:
    (context / "Dockerfile").write_text(DOCKERFILE.replace("COPY --chown=root:root ./libs", "#"))
    opened(context).lay_out(tmp_path / "app")
    assert list((tmp_path / "packages").iterdir()) == []


def test_an_app_is_laid_out_anew_when_its_process_starts_again(
    context: Path, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    opened(context).lay_out(app)
    (app / "left-behind").write_text("")
    opened(context).lay_out(app)

    assert not (app / "left-behind").exists()
    assert (context / "files" / "weights").exists()


def test_the_server_and_the_model_find_a_mounted_folder_where_they_look_for_it(
    context: Path, tmp_path: Path
) -> None:
    (context / "server" / "resolver.py").write_text('WHERE = "/etc/dynamic"\n')
    (context / "src" / "model.py").write_bytes(b'open("/etc/dynamic/file")  # \xff\n')
    app = tmp_path / "app"
    opened(context).lay_out(app)
    opened(context).mount(app, "/etc/dynamic", tmp_path / "here")

    assert (app / "resolver.py").read_text() == f'WHERE = "{tmp_path}/here"\n'
    assert f"{tmp_path}/here/file".encode() in (app / "model" / "model.py").read_bytes()
    assert b"/etc/dynamic" in (context / "src" / "model.py").read_bytes()


def test_a_server_that_would_not_see_a_mounted_folder_is_refused(
    context: Path, tmp_path: Path
) -> None:
    opened(context).lay_out(tmp_path / "app")

    with pytest.raises(WorkloadError, match="reads nothing in /etc/dynamic"):
        opened(context).mount(tmp_path / "app", "/etc/dynamic", tmp_path)


def test_the_server_is_told_its_port_and_what_its_pod_declares_and_nothing_else(
    context: Path, tmp_path: Path
) -> None:
    environment = opened(context).environment(tmp_path, 50_001, {"SPEED": "3"})

    assert environment["INFERENCE_SERVER_PORT"] == "50001"
    assert environment["SPEED"] == "3"
    assert "THREADS" not in environment  # the program puts it into the pod


def test_a_search_path_that_is_declared_goes_before_the_bundled_packages(
    context: Path, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    environment = opened(context).environment(app, 50_001, {"PYTHONPATH": "/opt/lib"})

    assert environment["PYTHONPATH"] == f"/opt/lib:{tmp_path / 'packages'}"


def test_the_server_is_told_where_packages_are_only_outside_of_their_place(
    context: Path, tmp_path: Path
) -> None:
    outside = opened(context).environment(tmp_path / "app", 1, {})
    inside = opened(context).environment(tmp_path / "app", 1, {}, is_inside=True)

    assert (outside["PYTHONPATH"], outside["APP_HOME"]) == (
        str(tmp_path / "packages"), str(tmp_path / "app"),
    )  # fmt: skip
    assert "PYTHONPATH" not in inside
    assert inside["APP_HOME"] == "/app"


@pytest.mark.parametrize(
    "code", ['open("/app/data/x")', "Path('/packages')", 'open("data/x")', '"/application/app/x"']
)
def test_code_that_names_places_of_the_image_is_found(context: Path, code: str) -> None:
    (context / "server" / "main.py").write_text('"/app/main.py"')
    (context / "src" / "model.py").write_text(code)
    named = '"/app/' in code or "'/packages'" in code
    assert opened(context).names_places_of_the_image is named


def test_another_folder_is_no_truss_context(tmp_path: Path) -> None:
    assert TrussContext.at(tmp_path) is None


@pytest.mark.parametrize("version", ["3.9", "3.11", "3.14"])
def test_the_version_is_read_as_truss_writes_it(context: Path, version: str) -> None:
    config = {"python_version": f"py{version.replace('.', '')}"}
    (context / "config.yaml").write_text(yaml.safe_dump(config))
    assert opened(context).packages(OWNER).python == version


def test_the_users_own_index_is_used_and_further_ones_are_kept(context: Path) -> None:
    packages = opened(context).packages(OWNER)
    assert packages.files["requirements.txt"] == "--extra-index-url u\nsix\n"
    assert packages.owner == OWNER


@pytest.mark.parametrize(
    ("requirements_file", "install"),
    [
        ("./requirements.txt", ("-r", "user_requirements.txt", *CONSTRAINED)),
        ("sub/more.txt", ("-r", "user_requirements.txt", *CONSTRAINED)),
        ("pyproject.toml", ("-r", "pyproject.toml")),
        ("uv.lock", ("-r", Packages.LOCKED)),
    ],
)
def test_a_file_of_requirements_is_installed_before_the_servers_as_in_the_image(
    context: Path, requirements_file: str, install: tuple[str, ...]
) -> None:
    for name in ("user_requirements.txt", "pyproject.toml", "uv.lock"):
        (context / name).write_text(name)
    config = {"python_version": "py311", "requirements_file": requirements_file}
    (context / "config.yaml").write_text(yaml.safe_dump(config))
    packages = opened(context).packages(OWNER)

    assert packages.installs == (install, ("-r", "requirements.txt", *CONSTRAINED))
    assert ("uv.lock" in packages.files) is (requirements_file == "uv.lock")
    assert packages.folder is None


def test_a_pyproject_that_no_config_names_is_not_installed(context: Path) -> None:
    (context / "pyproject.toml").write_text("")
    packages = opened(context).packages(OWNER)

    assert packages.files.keys() == {"constraints.txt", "requirements.txt"}
    assert packages.installs == (("-r", "requirements.txt", *CONSTRAINED),)
