"""The workers of one deployment: as many pods as its queues ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from infra.components.cluster.pod_role import pod_trust
from infra.components.compute.model_credentials import statement_to_assume
from infra.components.compute.model_environment import declare_environment_file
from infra.components.compute.model_server import (
    DISPATCHER_PORT,
    ModelImage,
    model_server_variables,
)
from infra.components.compute.worker_pod import WorkerPodArgs, worker_pod
from infra.components.custody.custody import Custody
from infra.components.isolation.closed_namespace import Opening, declare_opening
from infra.components.isolation.ways import INSTANCE_METADATA
from infra.components.permissions import Statement, policy
from infra.components.pipeline.caller_places import CallerPlaces
from infra.components.pipeline.notifications import Notifications
from infra.components.pipeline.payload_store import PayloadStore
from infra.components.pipeline.request_queues import RequestQueues
from infra.components.pipeline.table import Table
from infra.settings.instance import Instance
from infra.settings.model_settings import DeploymentSettings
from penstock.autoscaling.scaled_object import scaled_object
from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.request_id import model_fingerprint

KEDA_AUTHENTICATION = "penstock-aws"
"""The ClusterTriggerAuthentication with which KEDA reads queues."""


@dataclass(frozen=True, kw_only=True)
class WorkerPlatform:
    """What the workers of all deployments share."""

    custody: Custody
    cluster_name: pulumi.Input[str]
    namespace: pulumi.Input[str]
    region: str
    variables: Mapping[str, str]
    dispatcher_image: pulumi.Input[str]
    requests: Table
    store: PayloadStore
    notifications: Notifications
    ready: Sequence[pulumi.Resource] = ()
    """What pods come after: nodes, and what scales them."""

    has_worker_nodes: bool = False
    """Whether there are nodes for workers alone."""


@dataclass(frozen=True, kw_only=True)
class WorkerDeploymentArgs:
    """What the workers need to know."""

    platform: WorkerPlatform
    model_id: str
    deployment_id: str
    environment: str | None
    """Of those that point to it, the one that its model is told."""

    settings: DeploymentSettings
    queues: RequestQueues
    model_image: ModelImage


class WorkerDeployment(pulumi.ComponentResource):
    """A Kubernetes Deployment scaled by KEDA, with an AWS role of its own."""

    role_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: WorkerDeploymentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:WorkerDeployment", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._labels = {"penstock.dev/deployment": args.deployment_id}
        self._metadata: k8s.meta.v1.ObjectMetaArgsDict = {
            "name": args.deployment_id,
            "namespace": args.platform.namespace,
            "labels": self._labels,
        }
        account = k8s.core.v1.ServiceAccount(
            f"{name}-account",
            metadata={
                **self._metadata,
                "name": f"{model_fingerprint(args.model_id)}-{args.deployment_id}",
            },
            automount_service_account_token=False,
            opts=self._child,
        )
        identity = self._declare_role(account)
        self._declare_scaling(self._declare_deployment(account, identity))
        self._declare_budget()
        if args.settings.watch_spot_notice:
            self._declare_way_to_notices()
        self.register_outputs({"role_arn": self.role_arn})

    def _declare_role(self, account: k8s.core.v1.ServiceAccount) -> pulumi.Resource:
        platform = self._args.platform
        role = aws.iam.Role(
            f"{self._name}-worker",
            assume_role_policy=pod_trust(platform.custody.account_id),
            opts=self._child,
        )
        aws.iam.RolePolicy(
            f"{self._name}-permissions",
            role=role.name,
            policy=policy(*self._statements()),
            opts=self._child,
        )
        self.role_arn = role.arn
        return aws.eks.PodIdentityAssociation(
            f"{self._name}-identity",
            cluster_name=platform.cluster_name,
            namespace=platform.namespace,
            service_account=account.metadata.name,
            role_arn=role.arn,
            opts=self._child,
        )

    def _statements(self) -> list[Statement]:
        platform = self._args.platform
        fingerprint = model_fingerprint(self._args.model_id)
        own = [
            *self._args.queues.statements_to_work(),
            platform.requests.statement_to_change(fingerprint),
            platform.requests.statement_to_read_many(fingerprint),
            *platform.store.statements_to_work(fingerprint),
            platform.notifications.statement_to_publish(),
        ]
        with_key = platform.custody.statements_to_use_key(own)
        elsewhere = CallerPlaces.of([self._args.settings]).statements_to_work()
        if role := self._args.settings.model_role:
            elsewhere.append(statement_to_assume(role))
        return [*own, *with_key, *elsewhere]

    def _declare_deployment(
        self, account: k8s.core.v1.ServiceAccount, identity: pulumi.Resource
    ) -> k8s.apps.v1.Deployment:
        settings = self._args.settings
        return k8s.apps.v1.Deployment(
            f"{self._name}-workers",
            metadata={
                **self._metadata,
                # Otherwise Pulumi waits for pods that KEDA keeps at zero.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec={
                # Left out it would be 1: a GPU node before KEDA ever looks.
                "replicas": settings.autoscaling.min_replica,
                "selector": {"match_labels": self._labels},
                # Where every GPU is taken a surge would wait for ever.
                "strategy": {"rolling_update": {"max_surge": 0, "max_unavailable": 1}},
                "template": worker_pod(self._pod_args(account)),
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=["spec.replicas"],
                # A pod that starts before its identity never gets it.
                depends_on=[identity, *self._args.platform.ready],
            ),
        )

    def _pod_args(self, account: k8s.core.v1.ServiceAccount) -> WorkerPodArgs:
        args, settings = self._args, self._args.settings
        return WorkerPodArgs(
            labels=self._labels,
            service_account=account.metadata.name,
            instance=Instance.parse(settings.instance),
            dispatcher_image=args.platform.dispatcher_image,
            platform_variables=args.platform.variables,
            dispatcher_environment=self._environment(),
            model_image=args.model_image,
            model_server=settings,
            environment_file=self._environment_file(),
            deployment_id=args.deployment_id,
            region=args.platform.region,
            model_role=settings.model_role,
            spool_gib=settings.spool_limit_gib,
            drain_seconds=settings.drain_seconds,
            restart_after_stop=settings.restart_after_stop,
            has_worker_nodes=args.platform.has_worker_nodes,
        )

    def _environment_file(self) -> pulumi.Output[str] | None:
        args = self._args
        if args.settings.speaks != "truss":
            return None
        metadata: k8s.meta.v1.ObjectMetaArgsDict = {
            **self._metadata,
            "name": f"{args.deployment_id}-environment",
        }
        return declare_environment_file(self._name, metadata, args.environment, self._child)

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        args, platform, settings = self._args, self._args.platform, self._args.settings
        p0, p1, p2 = args.queues.urls
        return DispatcherEnvironment.variables(
            model_id=args.model_id,
            deployment_id=args.deployment_id,
            queue_url_p0=p0,
            queue_url_p1=p1,
            queue_url_p2=p2,
            dead_letter_queue_url=args.queues.dead_letter_queue_url,
            requests_table=platform.requests.name,
            payloads_bucket=platform.store.payloads.name,
            results_bucket=platform.store.results.name,
            succeeded_topic=platform.notifications.succeeded_topic,
            failed_topic=platform.notifications.failed_topic,
            concurrency_target=str(settings.autoscaling.concurrency_target),
            predict_timeout_seconds=str(settings.predict_timeout_seconds),
            lease_seconds=str(settings.lease_seconds),
            hold_budget_seconds=str(settings.hold_budget_seconds),
            low_priority_share=str(settings.low_priority_share),
            drain_seconds=str(settings.drain_seconds),
            restart_after_stop=str(settings.restart_after_stop).lower(),
            watch_spot_notice=str(settings.watch_spot_notice).lower(),
            **model_server_variables(settings),
            port=str(DISPATCHER_PORT),  # declared for the same reason as the URL
        )

    def _declare_scaling(self, deployment: pulumi.Resource) -> None:
        args = self._args
        k8s.apiextensions.CustomResource(
            f"{self._name}-scaling",
            api_version="keda.sh/v1alpha1",
            kind="ScaledObject",
            metadata=self._metadata,
            spec=scaled_object(
                args.settings.autoscaling,
                target=args.deployment_id,
                queue_urls=args.queues.urls,
                region=args.platform.region,
                authentication=KEDA_AUTHENTICATION,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment]),
        )

    def _declare_budget(self) -> None:
        k8s.policy.v1.PodDisruptionBudget(
            f"{self._name}-budget",
            metadata=self._metadata,
            spec={
                "selector": {"match_labels": self._labels},
                # A drain loses no work, only capacity. Rounded up: a single worker may go, too.
                "max_unavailable": "50%",
                # A worker whose model never loads would hold its node for ever.
                "unhealthy_pod_eviction_policy": "AlwaysAllow",
            },
            opts=self._child,
        )

    def _declare_way_to_notices(self) -> None:
        declare_opening(
            f"{self._name}-spot-notice",
            f"{self._args.deployment_id}-spot-notice",
            self._args.platform.namespace,
            Opening(pods=self._labels, outgoing=[INSTANCE_METADATA]),
            self._child,
        )
