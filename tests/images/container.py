"""A container as a process: its image's files as the root, its pod's user, nothing else."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

# What kubelet and the runtime lay out; the command at the end takes the place of this shell, so
# signals and the exit status are its own.
_LAY_OUT = """\
set -e
root=$1 scratch=$2 access=$3
shift 3
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --bind "$scratch" "$root/tmp"
mount -o "remount,bind,$access" "$root"
exec "$@"
"""


class BuiltContainer(BaseModel, frozen=True):
    """What an image and a pod say of one container."""

    root: Path
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    folder: str = "/"
    user: int
    has_read_only_root: bool

    @classmethod
    def of(
        cls, root: Path, config: Mapping[str, Any], security: Mapping[str, Any]
    ) -> "BuiltContainer":
        """Put together what the image's config and the pod's security context say."""
        return cls(
            root=root,
            entrypoint=config.get("Entrypoint") or (),
            command=config.get("Cmd") or (),
            environment=dict(variable.split("=", 1) for variable in config.get("Env", ())),
            folder=config.get("WorkingDir") or "/",
            user=security["runAsUser"],
            has_read_only_root=security["readOnlyRootFilesystem"],
        )

    def argv(self, command: tuple[str, ...], args: tuple[str, ...], scratch: Path) -> list[str]:
        """Return what runs it with `scratch` as its `/tmp`; command and args as in a pod."""
        program = command or self.entrypoint
        rest = args or (() if command else self.command)
        scratch.chmod(0o777)  # as an emptyDir
        shell = ("sh", "-c", _LAY_OUT, "sh", str(self.root), str(scratch))
        inside = ("chroot", f"--userspec={self.user}:{self.user}", "--groups=", str(self.root))
        return [
            # Found here: the PATH of the process is that of the image.
            str(shutil.which("unshare")), "--mount",
            *shell, "ro" if self.has_read_only_root else "rw",
            *inside, "env", f"--chdir={self.folder}", *program, *rest,
        ]  # fmt: skip


BuiltContainers = TypeAdapter(dict[str, BuiltContainer])
"""By deployment and container: `echo-v1/dispatcher`."""
