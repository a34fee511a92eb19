"""Helm charts: which, from where, in which version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from infra.components.isolation.surroundings import Surroundings

_TIMEOUT_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart, pinned."""

    name: str
    version: str
    repository: str | None = None
    """`None` where the name is the whole address."""


KEDA = Chart(name="keda", version="2.20.2", repository="https://kedacore.github.io/charts")
CLUSTER_AUTOSCALER = Chart(
    name="cluster-autoscaler",
    version="9.59.1",
    repository="https://kubernetes.github.io/autoscaler",
)
KARPENTER = Chart(name="oci://public.ecr.aws/karpenter/karpenter", version="1.14.0")
DEVICE_PLUGIN = Chart(
    name="nvidia-device-plugin",
    version="0.17.4",
    repository="https://nvidia.github.io/k8s-device-plugin",
)
DCGM_EXPORTER = Chart(
    name="dcgm-exporter",
    version="4.8.2",
    repository="https://nvidia.github.io/dcgm-exporter/helm-charts",
)
COLLECTOR_CHART = Chart(
    name="opentelemetry-collector",
    version="0.166.0",
    repository="https://open-telemetry.github.io/opentelemetry-helm-charts",
)


@dataclass(frozen=True, kw_only=True)
class OperatorPlace:
    """Where operators run."""

    cluster_name: pulumi.Input[str]
    region: str
    account_id: pulumi.Input[str]
    surroundings: Surroundings
    image_mirror: str | None
    """A registry of one's own that has their images."""

    ready: Sequence[pulumi.Resource]
    """What must be there first."""

    def registry(self, original: str) -> str:
        """Return where the images of registry `original` are."""
        return self.image_mirror or original


def install(
    name: str,
    chart: Chart,
    namespace: pulumi.Input[str],
    values: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
) -> k8s.helm.v3.Release:
    """Declare a release; one that does not start is taken back."""
    return k8s.helm.v3.Release(
        name,
        # One resource whose values mocks and policies see; `v4.Chart` shows them nothing.
        name=chart.name.rpartition("/")[2],
        chart=chart.name,
        version=chart.version,
        repository_opts={"repo": chart.repository} if chart.repository else None,
        namespace=namespace,
        values=values,
        atomic=True,
        timeout=_TIMEOUT_SECONDS,
        opts=opts,
    )
