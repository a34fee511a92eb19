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
BESIDE_NVME = RootVolume(gib=100)
"""Images lie on the local disks; this holds the system alone."""

WITHOUT_NVME = RootVolume(gib=200, iops=6_000, mib_per_second=600)
"""Images lie here; fewer than 600 MiB/s would slow parallel pulls."""


def worker_volume(*, has_nvme: bool) -> RootVolume:
    """Return the disk of a worker's node."""
    return BESIDE_NVME if has_nvme else WITHOUT_NVME
