import subprocess
import sys
from pathlib import Path

import pytest

from penstock.local.pods.images import private_root
from penstock.local.pods.images.private_root import argv_inside, can_hold, is_possible

LOOK = """
import os
print(os.getcwd())
print(open("/app/data/file").read(), open("/etc/penstock-test/deep/file").read())
print(os.path.exists("/etc/passwd"), os.path.exists("/usr"))
open("/app/written", "w").write("by the model")
"""

needs_linux = pytest.mark.skipif(not is_possible(), reason="no private root on this machine")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for name in ("app/data/file", "told/file"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "view").mkdir()
    return tmp_path / "app"


@needs_linux
def test_a_process_finds_files_where_the_image_has_them_and_nobody_else_does(
    app: Path, tmp_path: Path
) -> None:
    folders = {"/app": app, "/etc/penstock-test/deep": tmp_path / "told"}
    argv = argv_inside(folders, tmp_path / "view", "/app", [sys.executable, "-c", LOOK])
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == ["/app", "app/data/file told/file", "True True"], done.stderr
    assert (app / "written").read_text() == "by the model"
    assert list((tmp_path / "view").iterdir()) == []
    assert not Path("/etc/penstock-test").exists()


@needs_linux
def test_what_a_process_needs_itself_is_not_hidden_from_it(tmp_path: Path) -> None:
    assert can_hold(["/app"], [tmp_path])
    assert not can_hold([str(tmp_path)], [tmp_path / "venv"])


def test_a_machine_that_cannot_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_root, "argv_inside", lambda *_: [sys.executable, "-c", "exit(1)"])
    assert not is_possible.__wrapped__()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not is_possible.__wrapped__()
