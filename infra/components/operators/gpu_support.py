"""What makes GPUs of nodes known to Kubernetes, and their load to Prometheus."""

import pulumi

from infra.components.fleet.node_labels import GPU_PRESENT, GPU_TAINT
from infra.components.isolation.closed_namespace import (
    ClosedNamespace,
    ClosedNamespaceArgs,
    Opening,
)
from infra.components.isolation.ways import scrapes
from infra.components.operators.chart import DCGM_EXPORTER, DEVICE_PLUGIN, OperatorPlace, install

_NAMESPACE = "nvidia"
_REGISTRY = "nvcr.io"
_TOLERATIONS = [{"key": GPU_TAINT, "operator": "Exists", "effect": "NoSchedule"}]
_EXPORTER = {"app.kubernetes.io/name": "dcgm-exporter"}
_EXPORTER_PORT = 9_400
_DCGM_RESOURCES = {"requests": {"cpu": "10m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}


class GpuSupport(pulumi.ComponentResource):
    """NVIDIA's device plugin and DCGM exporter, on the nodes that have GPUs."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, place: OperatorPlace, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:GpuSupport", name, {}, opts)
        closed = ClosedNamespaceArgs(
            namespace=_NAMESPACE,
            # Both read the devices of their node, and speak to kubelet through its sockets alone.
            pod_security="privileged",
            openings={"metrics": Opening(pods=_EXPORTER, incoming=[scrapes(_EXPORTER_PORT)])},
        )
        namespace = ClosedNamespace(
            f"{name}-namespace", closed, pulumi.ResourceOptions(parent=self)
        )
        registry = place.registry(_REGISTRY)
        after = pulumi.ResourceOptions(parent=self, depends_on=[*namespace.ready, *place.ready])
        plugin = install(
            f"{name}-device-plugin",
            DEVICE_PLUGIN,
            namespace.name,
            {
                "image": {"repository": f"{registry}/nvidia/k8s-device-plugin"},
                "tolerations": _TOLERATIONS,
            },
            after,
        )
        exporter = install(
            f"{name}-dcgm-exporter",
            DCGM_EXPORTER,
            namespace.name,
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
        self.register_outputs({"namespace": namespace.name})
