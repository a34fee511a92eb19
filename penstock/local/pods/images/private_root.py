"""A view of this machine's files with folders of an image in their places, for one process alone.

Models name absolute paths, such as `/app/data`. Linux lets a process see folders there that nobody
else sees. Run as a program, this module needs nothing but Python itself.
"""

import ctypes
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

_NEW_MOUNTS, _NEW_USER = 0x0002_0000, 0x1000_0000  # CLONE_NEWNS, CLONE_NEWUSER
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x4_0000  # MS_BIND, MS_REC, MS_PRIVATE
_PROBE_SECONDS = 10


def argv_inside(
    folders: Mapping[str, Path], scratch: Path, workdir: str, argv: Sequence[str]
) -> list[str]:
    """Return the command line that runs `argv` with `folders` in places such as `/app`.

    Args:
        folders: what lies in each place.
        scratch: an empty folder; outside it stays empty.
        workdir: where the command runs.
        argv: the command.
    """
    places = {place: str(folder) for place, folder in folders.items()}
    view = json.dumps({"folders": places, "scratch": str(scratch), "workdir": workdir})
    return [sys.executable, "-I", "-S", __file__, view, *argv]


def can_hold(places: Collection[str], needed: Sequence[Path]) -> bool:
    """Return whether folders can lie in these places, and hide nothing that the process needs."""
    hidden = any(path.resolve().is_relative_to(place) for path in needed for place in places)
    return is_possible() and not hidden


@functools.cache
def is_possible() -> bool:
    """Return whether this machine allows it: Linux alone does, and not in every container."""
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "folder")
        view = Path(scratch, "view")
        folder.mkdir()
        view.mkdir()
        probe = argv_inside({"/app": folder}, view, "/app", [sys.executable, "-I", "-c", ""])
        try:
            done = subprocess.run(probe, check=False, capture_output=True, timeout=_PROBE_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return False
    return done.returncode == 0


class _Kernel:
    """The calls that Python itself learns only with 3.12, or not at all."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def unshare(self, flags: int) -> None:
        self._check(self._libc.unshare(flags), "unshare")

    def mount(self, source: str, target: str, kind: str | None, flags: int) -> None:
        arguments = [None if text is None else text.encode() for text in (source, target, kind)]
        self._check(self._libc.mount(*arguments, ctypes.c_ulong(flags), None), target)

    @staticmethod
    def _check(result: int, what: str) -> None:
        if result != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), what)


def _enter(kernel: _Kernel) -> None:
    """Give this process mounts of its own; whoever is not root needs users of its own for that."""
    user, group = os.getuid(), os.getgid()
    try:
        kernel.unshare(_NEW_MOUNTS)
    except PermissionError:
        kernel.unshare(_NEW_MOUNTS | _NEW_USER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    kernel.mount("none", "/", None, _RECURSIVE | _PRIVATE)


def _fill(kernel: _Kernel, root: str, folders: Mapping[str, str]) -> None:
    kernel.mount("none", root, "tmpfs", 0)
    _mirror(kernel, "", root, folders)
    for place, folder in folders.items():
        _bind(kernel, folder, root + place, is_folder=True)


def _mirror(kernel: _Kernel, path: str, root: str, places: Collection[str]) -> None:
    """Let all of a folder lie below `root`, except for the places; theirs are made anew."""
    for entry in os.scandir(path or "/"):
        here = f"{path}/{entry.name}"
        if here in places:
            continue
        if any(place.startswith(f"{here}/") for place in places):
            Path(root + here).mkdir()
            _mirror(kernel, here, root, places)
        elif entry.is_symlink():
            Path(root + here).symlink_to(Path(here).readlink())
        else:
            _bind(kernel, here, root + here, is_folder=entry.is_dir())


def _bind(kernel: _Kernel, source: str, target: str, *, is_folder: bool) -> None:
    if is_folder:
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).touch()
    kernel.mount(source, target, None, _BIND | _RECURSIVE)


def main() -> None:
    """Become the command, with the folders in their places."""
    view, argv = json.loads(sys.argv[1]), sys.argv[2:]
    kernel = _Kernel()
    _enter(kernel)
    _fill(kernel, view["scratch"], view["folders"])
    os.chroot(view["scratch"])
    os.chdir(view["workdir"])
    os.execv(argv[0], argv)  # noqa: S606 - there is no shell to be had


if __name__ == "__main__":
    main()
