"""A stack in an AWS of this process: its data exists, the rest is declared and remembered."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi

from infra.artifacts.artifacts import Artifacts
from infra.program import declare
from infra.settings.stack_settings import StackSettings
from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.caller_places import make_caller_places
from penstock.local.materialise.registration import Registration
from penstock.local.materialise.resources import data, messaging
from tests.iam.accesses import Surroundings
from tests.iam.evaluation import Statement
from tests.infra.recording import ACCOUNT, CloudMocks, Declared, plain, record

STACK = "test"
_MADE = {
    kind: make
    for kind, make in {**data.MATERIALISERS, **messaging.MATERIALISERS}.items()
    if not kind.endswith("Policy")  # moto refuses by them, and takes no notice of conditions
}
_PLACES = {
    "aws:cloudwatch/logGroup:LogGroup": "logs:{region}:{account}:log-group:{name}",
    "aws:eks/cluster:Cluster": "eks:{region}:{account}:cluster/{name}",
    "aws:iam/instanceProfile:InstanceProfile": "iam::{account}:instance-profile/{name}",
    "aws:iam/role:Role": "iam::{account}:role/{name}",
    "aws:kms/key:Key": "kms:{region}:{account}:key/{name}",
    "aws:lambda/alias:Alias": "lambda:{region}:{account}:function:{name}",
}
_POLICIES_OF_RESOURCES = {
    ":BucketPolicy": "bucket",
    ":QueuePolicy": "queueUrl",
    ":TopicPolicy": "arn",
}


class _InProcessAws(EmulatedAws):
    """The clients of the local stack, for moto."""

    def __init__(self, region: str) -> None:
        super().__init__("", region)
        self._options = {}


class _Answers(CloudMocks):
    """Makes what processes keep data in; of the rest only the ARN is as in AWS."""

    def __init__(self, aws: EmulatedAws) -> None:
        self._aws = aws

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ in _MADE:
            made = _MADE[args.typ](self._aws, Registration(args.typ, args.name, plain(args.inputs)))
            return made.id, dict(made.outputs)
        resource_id, outputs = super().new_resource(args)
        if args.typ in _PLACES:
            place = _PLACES[args.typ].format(
                region=self._aws.region, account=ACCOUNT, name=outputs["name"]
            )
            outputs["arn"] = f"arn:aws:{place}"
        return resource_id, outputs


@dataclass(frozen=True)
class Account:
    """The stack, and what its policies say."""

    settings: StackSettings
    declared: Declared

    @cached_property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            region=self.settings.region,
            account_id=ACCOUNT,
            keys=dict(_keys(self.declared)),
            tags={
                resource.outputs["arn"]: resource.inputs["tags"]
                for resource in self.declared
                if resource.inputs.get("tags") and "arn" in resource.outputs
            },
        )

    @cached_property
    def roles(self) -> dict[str, tuple[Statement, ...]]:
        """By role: what its own and its attached policies say."""
        policies = {p.outputs["arn"]: p for p in self.declared.of_type("iam/policy:Policy")}
        granted: dict[str, list[dict[str, Any]]] = {}
        for own in self.declared.of_type("iam/rolePolicy:RolePolicy"):
            granted.setdefault(own.inputs["role"], []).extend(own.policy())
        for attachment in self.declared.of_type(":RolePolicyAttachment"):
            statements = granted.setdefault(attachment.inputs["role"], [])
            if (attached := policies.get(attachment.inputs["policyArn"])) is not None:
                statements.extend(attached.policy())
        return {
            role.name: tuple(map(Statement.of, granted.get(role.outputs["name"], ())))
            for role in self.declared.of_type("iam/role:Role")
        }

    @cached_property
    def _of_resources(self) -> tuple[Statement, ...]:
        """What the policies of queues, topics, buckets and keys say; each names its resource."""
        found = [
            resource for kind in _POLICIES_OF_RESOURCES for resource in self.declared.of_type(kind)
        ]
        return tuple(Statement.of(raw) for resource in found for raw in resource.policy())

    def policy_of(self, resource: str) -> tuple[Statement, ...]:
        """Return what the policy of a resource says."""
        for key in self.declared.of_type("kms/key:Key"):
            if key.outputs["arn"] == resource:
                return tuple(map(Statement.of, key.policy()))
        return self._of_resources

    def variables_of(self, function: str) -> dict[str, str]:
        """Return the environment of a function."""
        declared = self.declared.named(f"functions-{function}-function", ":Function")
        variables: dict[str, str] = declared.inputs["environment"]["variables"]
        return variables

    def variables_of_worker(self, deployment_id: str, name: str = "dispatcher") -> dict[str, str]:
        """Return the environment of a container of a deployment's pods."""
        pods = self.declared.named(f"{deployment_id}-workers", "apps/v1:Deployment").inputs
        spec = pods["spec"]["template"]["spec"]
        (found,) = (
            container
            for container in (*spec["initContainers"], *spec["containers"])
            if container["name"] == name
        )
        return {each["name"]: each["value"] for each in found["env"] if "value" in each}


def open_account(settings: StackSettings, artifacts: Artifacts) -> Account:
    """Declare a stack inside `mock_aws`; its data, and places of its callers, exist afterwards."""
    aws = _InProcessAws(settings.region)
    aws.make_clients()  # Pulumi registers resources from several threads
    make_caller_places(aws, settings)
    declared = record(lambda: declare(settings, artifacts), stack=STACK, answers=_Answers(aws))
    return Account(settings, declared)


def _keys(declared: Declared) -> Iterator[tuple[str, str]]:
    """Yield what lies under a key of the account's own, and that key, by ARN."""
    for kind, place in {
        "dynamodb/table:Table": ("serverSideEncryption", "kmsKeyArn"),
        "secretsmanager/secret:Secret": ("kmsKeyId",),
        "sns/topic:Topic": ("kmsMasterKeyId",),
        "sqs/queue:Queue": ("kmsMasterKeyId",),
    }.items():
        for resource in declared.of_type(kind):
            if (key := _at(resource.inputs, *place)) is not None:
                yield resource.outputs["arn"], key
    for encryption in declared.of_type(":BucketServerSideEncryptionConfiguration"):
        (rule,) = encryption.inputs["rules"]
        if (key := _at(rule, "applyServerSideEncryptionByDefault", "kmsMasterKeyId")) is not None:
            yield f"arn:aws:s3:::{encryption.inputs['bucket']}", key


def _at(value: Any, *path: str) -> Any:
    for part in path[:-1]:
        value = value[part]
    return value.get(path[-1])
