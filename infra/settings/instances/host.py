"""A machine that workers can run on, and what of it is left for them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.settings.instance import Instance

_DAEMON_MILLICORES, _DAEMON_MIB = 180, 200
"""What the add-ons on every node ask for: aws-node, kube-proxy, node monitoring, DCGM exporter."""

_HYPERVISOR_SHARE = 0.075
"""Of the memory, what the machine never shows; Karpenter plans with the same."""

_EVICTION_MIB = 100
_MOST_PODS = 737
"""The largest number that EKS reserves memory for, whatever the network could carry."""


class Host(BaseModel):
    """An EC2 instance type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    gpu: str | None = None
    gpu_count: int = 0
    gpu_memory_gib: int | None = None
    """Of each GPU."""

    vcpu: int
    memory_gib: int
    nvme_gb: int = 0
    max_pods: int
    """As many as the network interfaces have addresses for; kubelet reserves memory for each."""

    on_demand_usd: Annotated[float, Field(gt=0)] | None
    """Per hour; `None` where no price was found."""

    spot_usd: tuple[float, float] | None = None
    """Lowest and highest over the zones, once: history and no promise."""

    def pods_of(self, instance: Instance) -> int:
        """Return how many pods of this instance fit at once."""
        if instance.gpu != self.gpu:
            return 0
        shares = [
            self._free_millicores // instance.pod_millicores,
            self._free_mib // instance.pod_mib,
        ]
        if instance.gpu:
            shares.append(self.gpu_count // instance.gpu_count)
        return max(0, min(shares))

    @property
    def name(self) -> str:
        """The whole machine as an instance name: `L4:4:48x192`."""
        count = f":{self.gpu_count}" if self.gpu_count > 1 else ""
        return f"{self.gpu or 'CPU'}{count}:{self.vcpu}x{self.memory_gib}"

    @property
    def _free_millicores(self) -> int:
        # kubelet keeps 6 % of the first core, 1 % of the second, 0.5 % of the next two and
        # 0.25 % of each other one (nodeadm).
        shares = [60, 10, 5, 5]
        reserved = sum(shares[: self.vcpu]) + 2.5 * max(0, self.vcpu - len(shares))
        return int(1_000 * self.vcpu - reserved) - _DAEMON_MILLICORES

    @property
    def _free_mib(self) -> int:
        reserved = 255 + 11 * min(self.max_pods, _MOST_PODS)
        visible = self.memory_gib * 1_024 * (1 - _HYPERVISOR_SHARE)
        return int(visible) - reserved - _EVICTION_MIB - _DAEMON_MIB
