"""What makes GPUs of nodes known to Kubernetes, and their load to Prometheus."""

import pulumi
import pulumi_kubernetes as k8s

from infra.components.fleet.node_labels import GPU_PRESENT, GPU_TAINT
from infra.components.operators.chart import DCGM_EXPORTER, DEVICE_PLUGIN, OperatorPlace, install

_NAMESPACE = "nvidia"
_REGISTRY = "nvcr.io"
_TOLERATIONS = [{"key": GPU_TAINT, "operator": "Exists", "effect": "NoSchedule"}]
_DCGM_RESOURCES = {"requests": {"cpu": "10m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}


class GpuSupport(pulumi.ComponentResource):
    """NVIDIA's device plugin and DCGM exporter, on the nodes that have GPUs."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, place: OperatorPlace, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:GpuSupport", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            # Both read the devices of their node.
            metadata={
                "name": _NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
            },
            opts=child,
        )
        registry = place.registry(_REGISTRY)
        after = pulumi.ResourceOptions(parent=self, depends_on=list(place.ready))
        plugin = install(
            f"{name}-device-plugin",
            DEVICE_PLUGIN,
            namespace.metadata.name,
            {
                "image": {"repository": f"{registry}/nvidia/k8s-device-plugin"},
                "tolerations": _TOLERATIONS,
            },
            after,
        )
        exporter = install(
            f"{name}-dcgm-exporter",
            DCGM_EXPORTER,
            namespace.metadata.name,
            {
                "image": {"repository": f"{registry}/nvidia/k8s/dcgm-exporter"},
                "nodeSelector": {GPU_PRESENT: "true"},
                "tolerations": _TOLERATIONS,
                "resources": _DCGM_RESOURCES,
                # Its CRD belongs to the Prometheus operator, which need not be there.
                "serviceMonitor": {"enabled": False},
            },
            after,
        )
        self.ready = [plugin, exporter]
        self.register_outputs({"namespace": namespace.metadata.name})
