"""Instance names such as `CPU:4x16` or `L4:2`: what a model server's pod asks Kubernetes for."""

import re
from dataclasses import dataclass
from typing import Self

_SMALLEST_BOX = {
    "T4": (4, 16),
    "L4": (4, 16),
    "A10G": (4, 16),
    "L40S": (4, 32),
    "RTX_PRO_6000": (8, 64),
    "A100": (12, 144),
    "A100_40GB": (12, 144),
    "H100": (16, 256),
    "H200": (24, 256),
    "B200": (24, 256),
    "B300": (24, 512),
}
"""vCPU and GiB that come with one GPU when the name does not say."""

GPUS = tuple(_SMALLEST_BOX)
"""The GPUs that a name can ask for."""

DISPATCHER_MILLICORES, DISPATCHER_MIB = 200, 256
"""What the dispatcher beside each model server asks for."""

_NAME = re.compile(
    r"(?P<kind>[A-Z][A-Z0-9_]*)(:(?P<count>[1-8]))?(:(?P<vcpu>\d{1,3})x(?P<gib>\d{1,4}))?"
)


@dataclass(frozen=True)
class Instance:
    """A share of a machine, as it is advertised: a pod gets it less what the node needs."""

    vcpu: int
    memory_gib: int
    gpu: str | None = None
    gpu_count: int = 0

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a name.

        Raises:
            ValueError: it has another form, or names a GPU that is not offered.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is not an instance; write CPU:4x16, L4, L4:2 or L4:4x16")
        kind, count = match["kind"], int(match["count"] or 1)
        box = (int(match["vcpu"]), int(match["gib"])) if match["vcpu"] else None
        if box and 0 in box:
            raise ValueError(f"{name!r} has no vCPU or no memory")
        if kind == "CPU":
            return cls._cpu(name, box, has_count=match["count"] is not None)
        if kind not in _SMALLEST_BOX:
            raise ValueError(f"{name!r}: no GPU {kind}; there are {', '.join(GPUS)}")
        vcpu, gib = box or tuple(count * share for share in _SMALLEST_BOX[kind])
        return cls(vcpu, gib, kind, count)

    @classmethod
    def _cpu(cls, name: str, box: tuple[int, int] | None, *, has_count: bool) -> Self:
        if box is None or has_count:
            raise ValueError(f"{name!r}: write vCPU and GiB, as in CPU:4x16")
        return cls(*box)

    @property
    def cpu_request(self) -> str:
        """How much CPU a model server asks for."""
        return f"{self._millicores}m"

    @property
    def memory_request(self) -> str:
        """How much memory a model server asks for."""
        return f"{self._mib}Mi"

    @property
    def pod_millicores(self) -> int:
        """How much CPU its pod asks for in all."""
        return self._millicores + DISPATCHER_MILLICORES

    @property
    def pod_mib(self) -> int:
        """How much memory its pod asks for in all."""
        return self._mib + DISPATCHER_MIB

    @property
    def _millicores(self) -> int:
        # Half a core, 2 % of a large box or a quarter of a small one is the node's.
        return round(max(self.vcpu - max(0.5, 0.02 * self.vcpu), 0.75 * self.vcpu) * 1_000)

    @property
    def _mib(self) -> int:
        # The rest is for kubelet, kernel and daemons.
        return round(max(0.85 * self.memory_gib - 1, 0.5 * self.memory_gib) * 1_024)
