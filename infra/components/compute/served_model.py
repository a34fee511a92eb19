"""A model that callers can address: queues and workers of its deployments, and its address."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pulumi
import pulumi_aws as aws

from infra.components.compute.model_server import ModelImage
from infra.components.compute.worker_deployment import (
    WorkerDeployment,
    WorkerDeploymentArgs,
    WorkerPlatform,
)
from infra.components.pipeline.request_queues import RequestQueues, RequestQueuesArgs
from infra.components.pipeline.table import Table
from infra.settings.model_settings import ModelSettings
from penstock.contracts.directory.catalog import CHAIN_PREFIX, Deployment, Model, SageMakerOutput


@dataclass(frozen=True, kw_only=True)
class ServedModelArgs:
    """What a model needs to know."""

    stack: str
    platform: WorkerPlatform
    catalog: Table
    settings: ModelSettings
    chains: Sequence[str]
    """The chains whose callers reach this model."""

    images: Mapping[str, ModelImage]
    """The model server's image of each deployment, by the deployment's name."""


class ServedModel(pulumi.ComponentResource):
    """The deployments of a model and its entry in the catalog."""

    queues: dict[str, RequestQueues]
    """By deployment id."""

    def __init__(
        self, name: str, args: ServedModelArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:ServedModel", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.queues = {}
        for deployment, settings in args.settings.deployments.items():
            deployment_id = f"{name}-{deployment}"
            queues = self.queues[deployment_id] = RequestQueues(
                deployment_id,
                RequestQueuesArgs(
                    stack=args.stack,
                    custody=args.platform.custody,
                    lease_seconds=settings.lease_seconds,
                ),
                child,
            )
            WorkerDeployment(
                deployment_id,
                WorkerDeploymentArgs(
                    platform=args.platform,
                    model_id=name,
                    deployment_id=deployment_id,
                    environment=args.settings.environment_of(deployment),
                    settings=settings,
                    queues=queues,
                    model_image=args.images[deployment],
                ),
                child,
            )
        self._declare_entries(name, args)
        self.register_outputs({"deployment_ids": list(self.queues)})

    def _declare_entries(self, name: str, args: ServedModelArgs) -> None:
        """Declare what callers find in the catalog: the model, and each chain that leads to it."""
        model = Model(
            model_id=name,
            environments={e: f"{name}-{pointer}" for e, pointer in args.settings.pointers.items()},
            deployments={},
        )
        entries = {f"{name}-entry": model}
        for chain in args.chains:  # no model's name has an underscore
            entries[f"{name}_chain_{chain}"] = model.model_copy(
                update={"model_id": f"{CHAIN_PREFIX}{chain}", "chain_id": chain}
            )
        deployments = self._deployments(name, args.settings)
        for entry_name, entry in entries.items():
            aws.dynamodb.TableItem(
                entry_name,
                table_name=args.catalog.name,
                hash_key="model_id",
                item=deployments.apply(partial(_item, entry)),
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _deployments(
        self, model_id: str, settings: ModelSettings
    ) -> pulumi.Output[dict[str, Deployment]]:
        def known(queues: Sequence[Sequence[str]]) -> dict[str, Deployment]:
            found = [
                Deployment(
                    model_id=model_id,
                    deployment_id=f"{model_id}-{name}",
                    queue_urls=(p0, p1, p2),
                    dead_letter_queue_url=dead_letters,
                    input_buckets=given.input_buckets,
                    sagemaker=SageMakerOutput.model_validate(given.sagemaker.model_dump()),
                )
                for (name, given), (p0, p1, p2, dead_letters) in zip(
                    settings.deployments.items(), queues, strict=True
                )
            ]
            return {deployment.deployment_id: deployment for deployment in found}

        urls = [[*queues.urls, queues.dead_letter_queue_url] for queues in self.queues.values()]
        return pulumi.Output.all(*(pulumi.Output.all(*each) for each in urls)).apply(known)


def _item(entry: Model, deployments: Mapping[str, Deployment]) -> str:
    model = entry.model_copy(update={"deployments": dict(deployments)})
    return json.dumps({"model_id": {"S": model.model_id}, "model": {"S": model.model_dump_json()}})
