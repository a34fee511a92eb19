"""The disk that a node starts from."""

from dataclasses import dataclass

DEVICE = "/dev/xvda"


@dataclass(frozen=True, kw_only=True)
class RootVolume:
    """An encrypted gp3 volume."""

    gib: int
    iops: int = 3_000
    mib_per_second: int = 125


SYSTEM_VOLUME = RootVolume(gib=50)
WORKER_VOLUME = RootVolume(gib=100)
"""Where a machine has local disks, images and the pods' own volumes lie on those instead."""
