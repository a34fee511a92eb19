"""Models, their environments and their deployments: what an address resolves to."""

from typing import Literal

from penstock.contracts.contract import Contract
from penstock.contracts.errors import UnknownModelError
from penstock.contracts.submission import Target

CHAIN_PREFIX = "chain:"
"""In the catalog a chain is a model of this name: another address of its entry deployments."""


class SageMakerOutput(Contract):
    """Where results of SageMaker callers go (`AsyncInferenceConfig.OutputConfig`)."""

    output_path: str | None = None
    """`s3://bucket/prefix`; absent: the stack's results bucket, a folder per tenant."""

    failure_path: str | None = None
    success_topic: str | None = None
    error_topic: str | None = None
    include_response_in: tuple[Literal["success", "error"], ...] = ()


class Deployment(Contract):
    """One version of a model, with the queues it owns."""

    model_id: str
    deployment_id: str
    queue_urls: tuple[str, str, str]
    """The SQS queues of priority 0, 1 and 2."""

    dead_letter_queue_url: str
    input_buckets: tuple[str, ...] = ()
    """Buckets from which callers may have payloads read."""

    sagemaker: SageMakerOutput = SageMakerOutput()
    chain_id: str | None = None
    """The chain through which it was addressed."""


class Model(Contract):
    """A name callers address."""

    model_id: str
    environments: dict[str, str]
    """Environment name to deployment id; `production` always exists."""

    deployments: dict[str, Deployment]
    """Deployment id to deployment."""

    chain_id: str | None = None
    """Set in the entry of a chain."""

    def resolve(self, target: Target) -> Deployment:
        """Return the deployment that `target` means.

        Raises:
            UnknownModelError: the model has no such environment or deployment.
        """
        deployment_id = target.deployment_id
        if deployment_id is None:
            environment = target.environment or "production"
            deployment_id = self.environments.get(environment)
            if deployment_id is None:
                raise UnknownModelError(f"model {self.model_id} has no environment {environment}")
        if deployment_id not in self.deployments:
            raise UnknownModelError(f"model {self.model_id} has no deployment {deployment_id}")
        return self.deployments[deployment_id].model_copy(update={"chain_id": self.chain_id})
