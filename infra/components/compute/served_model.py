"""A model that callers can address: queues and workers of its deployments, and its address."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.compute.worker_deployment import (
    WorkerDeployment,
    WorkerDeploymentArgs,
    WorkerPlatform,
)
from infra.components.pipeline.request_queues import RequestQueues, RequestQueuesArgs
from infra.components.pipeline.table import Table
from infra.settings.model_settings import ModelSettings
from penstock.contracts.directory.catalog import Deployment, Model


@dataclass(frozen=True, kw_only=True)
class ServedModelArgs:
    """What a model needs to know."""

    stack: str
    platform: WorkerPlatform
    catalog: Table
    settings: ModelSettings
    images: Mapping[str, pulumi.Input[str]]
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
                RequestQueuesArgs(stack=args.stack, lease_seconds=settings.lease_seconds),
                child,
            )
            WorkerDeployment(
                deployment_id,
                WorkerDeploymentArgs(
                    platform=args.platform,
                    model_id=name,
                    deployment_id=deployment_id,
                    settings=settings,
                    queues=queues,
                    model_image=args.images[deployment],
                ),
                child,
            )
        aws.dynamodb.TableItem(
            f"{name}-entry",
            table_name=args.catalog.name,
            hash_key="model_id",
            item=self._entry(name, args.settings.pointers),
            opts=child,
        )
        self.register_outputs({"deployment_ids": list(self.queues)})

    def _entry(self, model_id: str, pointers: Mapping[str, str]) -> pulumi.Output[str]:
        environments = {name: f"{model_id}-{pointer}" for name, pointer in pointers.items()}
        queues = {
            deployment_id: {"urls": list(q.urls), "dead_letters": q.dead_letter_queue_url}
            for deployment_id, q in self.queues.items()
        }

        def item(known: dict[str, Any]) -> str:
            deployments = {
                deployment_id: Deployment(
                    model_id=model_id,
                    deployment_id=deployment_id,
                    queue_urls=q["urls"],
                    dead_letter_queue_url=q["dead_letters"],
                )
                for deployment_id, q in known.items()
            }
            model = Model(model_id=model_id, environments=environments, deployments=deployments)
            return json.dumps(
                {"model_id": {"S": model_id}, "model": {"S": model.model_dump_json()}}
            )

        return pulumi.Output.from_input(queues).apply(item)
