"""What runs in Kubernetes: kept as it is declared, for the pods to be started from."""

import hashlib

from penstock.local.emulated_aws import ACCOUNT_ID, EmulatedAws
from penstock.local.materialise.registration import Made, Materialiser, Registration

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SCALED_OBJECT = "kubernetes:keda.sh/v1alpha1:ScaledObject"
IMAGE = "docker-build:index:Image"


def _kubernetes_object(_: EmulatedAws, resource: Registration) -> Made:
    resource.pass_over(*resource.inputs)
    # Kubernetes hands back what it was given; Pulumi makes up a name where none is given.
    metadata = {"name": resource.name, "namespace": "default", **resource.take("metadata", {})}
    return resource.made(f"{metadata['namespace']}/{metadata['name']}", metadata=metadata)


def _image(_: EmulatedAws, image: Registration) -> Made:
    """Return a digest that nobody can pull: the pods find the build context by it."""
    image.pass_over(*image.inputs)
    digest = f"sha256:{hashlib.sha256(image.name.encode()).hexdigest()}"
    return image.made(image.name, digest=digest)


def _repository(aws: EmulatedAws, repository: Registration) -> Made:
    repository.pass_over(*repository.inputs)
    name = repository.take("name", repository.name)
    url = f"{ACCOUNT_ID}.dkr.ecr.{aws.region}.amazonaws.com/{name}"
    arn = f"arn:aws:ecr:{aws.region}:{ACCOUNT_ID}:repository/{name}"
    return repository.made(name, name=name, arn=arn, repositoryUrl=url, registryId=ACCOUNT_ID)


MATERIALISERS: dict[str, Materialiser] = {
    "aws:ecr/repository:Repository": _repository,
    CONFIG_MAP: _kubernetes_object,
    DEPLOYMENT: _kubernetes_object,
    IMAGE: _image,
    SCALED_OBJECT: _kubernetes_object,
    "kubernetes:core/v1:Namespace": _kubernetes_object,
    "kubernetes:core/v1:ServiceAccount": _kubernetes_object,
    "kubernetes:keda.sh/v1alpha1:ClusterTriggerAuthentication": _kubernetes_object,
}
