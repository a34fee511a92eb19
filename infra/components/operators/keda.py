"""KEDA: as many workers as the queues ask for."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.components.cluster.pod_role import PodRole, PodRoleArgs
from infra.components.custody.custody import Custody
from infra.components.isolation.closed_namespace import (
    ClosedNamespace,
    ClosedNamespaceArgs,
    Opening,
)
from infra.components.isolation.surroundings import Surroundings
from infra.components.isolation.ways import DNS, POD_IDENTITY, Way, pods, scrapes
from infra.components.operators.chart import KEDA, OperatorPlace, install
from infra.components.pipeline.request_queues import statement_to_measure

_NAMESPACE = "keda"
_SERVICE_ACCOUNT = "keda-operator"
_REGISTRY = "ghcr.io"
_PARTS = ("operator", "metricServer", "webhooks")
_OPERATOR = {"app": "keda-operator"}
_METRICS_API = {"app": "keda-operator-metrics-apiserver"}
_WEBHOOKS = {"app": "keda-admission-webhooks"}
_OPERATOR_PORT, _METRICS_API_PORT, _WEBHOOKS_PORT, _PROMETHEUS_PORT = 9_666, 6_443, 9_443, 8_080


@dataclass(frozen=True, kw_only=True)
class KedaArgs:
    """What KEDA needs to know."""

    place: OperatorPlace
    custody: Custody
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
        closed = ClosedNamespaceArgs(
            namespace=_NAMESPACE,
            pod_security="restricted",
            openings=_openings(args.place.surroundings),
        )
        namespace = ClosedNamespace(f"{name}-namespace", closed, child)
        role = PodRoleArgs(
            account_id=args.place.account_id,
            cluster_name=args.place.cluster_name,
            namespace=namespace.name,
            service_account=_SERVICE_ACCOUNT,
            statements=[statement_to_measure(args.stack, args.custody)],
        )
        identity = PodRole(f"{name}-operator", role, child).association
        release = install(
            f"{name}-release",
            KEDA,
            namespace.name,
            _values(args.place),
            pulumi.ResourceOptions(
                parent=self, depends_on=[identity, *namespace.ready, *args.place.ready]
            ),
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


def _openings(around: Surroundings) -> dict[str, Opening]:
    return {
        "operator": Opening(
            pods=_OPERATOR,
            incoming=[
                Way(peers=[pods(_METRICS_API)], ports=[_OPERATOR_PORT]),
                scrapes(_PROMETHEUS_PORT),
            ],
            outgoing=[DNS, POD_IDENTITY, around.to_api(), around.to_aws()],
        ),
        "metrics-api": Opening(
            pods=_METRICS_API,
            incoming=[around.from_api(_METRICS_API_PORT), scrapes(_PROMETHEUS_PORT)],
            outgoing=[
                DNS,
                around.to_api(),
                Way(peers=[pods(_OPERATOR)], ports=[_OPERATOR_PORT]),
            ],
        ),
        "webhooks": Opening(
            pods=_WEBHOOKS,
            incoming=[around.from_api(_WEBHOOKS_PORT)],
            outgoing=[DNS, around.to_api()],
        ),
    }


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
