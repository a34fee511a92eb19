"""KEDA: as many workers as the queues ask for."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.components.cluster.pod_role import PodRole, PodRoleArgs
from infra.components.operators.chart import KEDA, OperatorPlace, install
from infra.components.pipeline.request_queues import statement_to_measure

_NAMESPACE = "keda"
_SERVICE_ACCOUNT = "keda-operator"
_REGISTRY = "ghcr.io"
_PARTS = ("operator", "metricServer", "webhooks")


@dataclass(frozen=True, kw_only=True)
class KedaArgs:
    """What KEDA needs to know."""

    place: OperatorPlace
    stack: str
    """Whose queues it may measure."""

    authentication: str
    """The name under which ScaledObjects refer to its credentials."""


class Keda(pulumi.ComponentResource):
    """The operator, and the credentials that all ScaledObjects share: its own."""

    authentication: pulumi.Output[str]
    ready: pulumi.Resource
    """ScaledObjects come after it."""

    def __init__(
        self, name: str, args: KedaArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:Keda", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": _NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
            opts=child,
        )
        role = PodRoleArgs(
            account_id=args.place.account_id,
            cluster_name=args.place.cluster_name,
            namespace=namespace.metadata.name,
            service_account=_SERVICE_ACCOUNT,
            statements=[statement_to_measure(args.stack)],
        )
        identity = PodRole(f"{name}-operator", role, child).association
        release = install(
            f"{name}-release",
            KEDA,
            namespace.metadata.name,
            _values(args.place),
            pulumi.ResourceOptions(parent=self, depends_on=[identity, *args.place.ready]),
        )
        credentials = k8s.apiextensions.CustomResource(
            f"{name}-credentials",
            api_version="keda.sh/v1alpha1",
            kind="ClusterTriggerAuthentication",
            metadata={"name": args.authentication},
            spec={"podIdentity": {"provider": "aws"}},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[release]),
        )
        self.authentication, self.ready = pulumi.Output.from_input(args.authentication), credentials
        self.register_outputs({"authentication": self.authentication})


def _values(place: OperatorPlace) -> dict[str, object]:
    registry = place.registry(_REGISTRY)
    return {
        "image": {
            part: {"registry": registry} for part in ("keda", "metricsApiServer", "webhooks")
        },
        "serviceAccount": {"operator": {"name": _SERVICE_ACCOUNT}},
        # The second takes over when the node of the first is lost.
        "operator": {"replicaCount": 2},
        "podDisruptionBudget": {"operator": {"maxUnavailable": 1}},
        "resources": {
            part: {
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"memory": "1Gi"},
            }
            for part in _PARTS
        },
        "prometheus": {"operator": {"enabled": True}, "metricServer": {"enabled": True}},
    }
