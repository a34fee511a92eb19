from pathlib import Path

import pytest
import yaml

from penstock.local.pods.images.truss_app import TrussContext
from penstock.local.pods.workload import WorkloadError

CONFIG = {"python_version": "py310", "environment_variables": {"THREADS": "2"}}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    for name in ("server", "model", "packages", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "server" / "main.py").write_text("")
    (folder / "model" / "model.py").write_text("")
    (folder / "data" / "weights").write_text("")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    (folder / "requirements.txt").write_text("-i https://index.test\n--extra-index-url u\nsix\n")
    (folder / "constraints.txt").write_text("six<2\n")
    return folder


def opened(context: Path) -> TrussContext:
    truss = TrussContext.at(context)
    assert truss is not None
    return truss


def test_the_app_lies_as_in_the_image(context: Path, tmp_path: Path) -> None:
    app = tmp_path / "app"
    opened(context).lay_out(app)

    found = sorted(path.name for path in app.iterdir())
    assert found == ["config.yaml", "data", "main.py", "model", "packages"]
    assert (app / "data" / "weights").exists()


def test_an_app_is_laid_out_anew_when_its_process_starts_again(
    context: Path, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    opened(context).lay_out(app)
    (app / "left-behind").write_text("")
    opened(context).lay_out(app)

    assert not (app / "left-behind").exists()
    assert (context / "data" / "weights").exists()


def test_the_server_and_the_model_find_a_mounted_folder_where_they_look_for_it(
    context: Path, tmp_path: Path
) -> None:
    (context / "server" / "resolver.py").write_text('WHERE = "/etc/dynamic"\n')
    (context / "model" / "model.py").write_bytes(b'open("/etc/dynamic/file")  # \xff\n')
    app = tmp_path / "app"
    opened(context).lay_out(app)
    opened(context).mount(app, "/etc/dynamic", tmp_path / "here")

    assert (app / "resolver.py").read_text() == f'WHERE = "{tmp_path}/here"\n'
    assert f"{tmp_path}/here/file".encode() in (app / "model" / "model.py").read_bytes()
    assert b"/etc/dynamic" in (context / "model" / "model.py").read_bytes()


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
    environment = opened(context).environment(tmp_path, 50_001, {"PYTHONPATH": "/opt/lib"})

    assert environment["PYTHONPATH"] == f"/opt/lib:{tmp_path / 'packages'}"


def test_another_folder_is_no_truss_context(tmp_path: Path) -> None:
    assert TrussContext.at(tmp_path) is None


@pytest.mark.parametrize("version", ["3.9", "3.11", "3.14"])
def test_the_version_is_read_as_truss_writes_it(context: Path, version: str) -> None:
    config = {"python_version": f"py{version.replace('.', '')}"}
    (context / "config.yaml").write_text(yaml.safe_dump(config))
    assert opened(context).packages.python == version


def test_the_users_own_index_is_used_and_further_ones_are_kept(context: Path) -> None:
    assert opened(context).packages.requirements == "--extra-index-url u\nsix\n"


def test_requirements_that_are_a_file_are_installed_beside_the_servers(context: Path) -> None:
    (context / "user_requirements.txt").write_text("seven\n")
    assert opened(context).packages.files == (context / "user_requirements.txt",)
