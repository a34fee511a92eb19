"""By what workers find their nodes, and by what everything else is kept off them."""

from infra.settings.instances.host import Host

GPU_LABEL = "penstock.dev/gpu"
"""The GPU's name as in an instance name; workers without a GPU look for `none`."""

NO_GPU = "none"
GPU_PRESENT = "nvidia.com/gpu.present"
"""Where NVIDIA's device plugin and exporter look for GPUs."""

GPU_TAINT = "nvidia.com/gpu"
CPU_TAINT = "penstock.dev/workers"
_ACCELERATOR = "k8s.amazonaws.com/accelerator"
"""Tells cluster-autoscaler to wait for a GPU that is not registered yet, not to add nodes."""


def labels(host: Host) -> dict[str, str]:
    """Return the labels of a worker's node."""
    if host.gpu is None:
        return {GPU_LABEL: NO_GPU}
    accelerator = f"nvidia-{host.gpu.lower().replace('_', '-')}"
    return {GPU_LABEL: host.gpu, GPU_PRESENT: "true", _ACCELERATOR: accelerator}


def taints(host: Host) -> dict[str, str]:
    """Return the taints of a worker's node; each keeps out what does not tolerate it."""
    return {GPU_TAINT if host.gpu else CPU_TAINT: "present"}
