"""Which resource type is made by which function, and which types need nothing here."""

from penstock.local.emulated_aws import ACCOUNT_ID, EmulatedAws
from penstock.local.materialise.registration import (
    Made,
    MaterialiseError,
    Materialiser,
    Registration,
)
from penstock.local.materialise.resources import (
    cluster,
    data,
    functions,
    messaging,
    rest_api,
    schedules,
)

_MATERIALISERS: dict[str, Materialiser] = {
    **cluster.MATERIALISERS,
    **data.MATERIALISERS,
    **functions.MATERIALISERS,
    **messaging.MATERIALISERS,
    **rest_api.MATERIALISERS,
    **schedules.MATERIALISERS,
}

_NOTHING_NEEDED = {
    "aws:apigateway/account:Account": "the emulator writes no access logs",
    "aws:apigateway/methodSettings:MethodSettings": "the emulator does not throttle",
    "aws:cloudwatch/dashboard:Dashboard": "the emulator measures nothing",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "the emulator measures nothing",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "no image is pushed",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": "credentials are not checked",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "credentials are not checked",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "nothing gets old",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "there is one account",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "loopback is not public",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "objects are kept in memory"
    ),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": "pods are processes, reached on loopback",
    "kubernetes:policy/v1:PodDisruptionBudget": "no node is drained",
    "pulumi:providers:aws": "the emulator is reached by its own clients",
    "pulumi:providers:docker-build": "no image is built",
    "pulumi:providers:kubernetes": "pods are processes",
}
"""Types without an effect on one machine, and why."""


def materialise(aws: EmulatedAws, resource: Registration) -> Made:
    """Make one resource.

    Raises:
        MaterialiseError: neither its type nor one of its inputs is known here.
    """
    if resource.type in _NOTHING_NEEDED:
        return resource.made(resource.name)
    if resource.type not in _MATERIALISERS:
        raise MaterialiseError(
            f"{resource}: the local stack does not know this type; teach it in"
            " penstock/local/materialise/resources"
        )
    made = _MATERIALISERS[resource.type](aws, resource)
    resource.check_complete()
    return made


def answer_invoke(aws: EmulatedAws, token: str, arguments: dict[str, object]) -> dict[str, object]:
    """Answer one call of the program to a provider.

    Raises:
        MaterialiseError: the call is not known here.
    """
    match token:
        case "aws:index/getCallerIdentity:getCallerIdentity":
            arn = f"arn:aws:iam::{ACCOUNT_ID}:root"
            return {"accountId": ACCOUNT_ID, "arn": arn, "userId": ACCOUNT_ID, "id": ACCOUNT_ID}
        case "aws:index/getRegion:getRegion":
            return {"name": aws.region, "region": aws.region, "id": aws.region}
        case "aws:index/getPartition:getPartition":
            return {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"}
        case "aws:secretsmanager/getRandomPassword:getRandomPassword":
            answer = aws.secretsmanager.get_random_password(
                PasswordLength=int(str(arguments.get("passwordLength", 32))),
                ExcludePunctuation=bool(arguments.get("excludePunctuation", False)),
            )
            return {**arguments, "randomPassword": answer["RandomPassword"], "id": aws.region}
        case "aws:ecr/getAuthorizationToken:getAuthorizationToken":
            return {**arguments, "userName": "AWS", "password": "none", "id": aws.region}
        case _:
            raise MaterialiseError(f"{token}: the local stack does not know this call")
