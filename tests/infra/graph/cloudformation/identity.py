"""IAM and KMS."""

from tests.infra.graph.cloudformation.kinds import Kind, Part
from tests.infra.graph.cloudformation.properties import (
    TAGS,
    document,
    listed,
    renamed,
    same,
)

IDENTITY: dict[str, Kind | Part] = {
    "aws:iam/role:Role": Kind(
        "AWS::IAM::Role",
        name="RoleName",
        properties={
            "assumeRolePolicy": document("AssumeRolePolicyDocument"),
            "tags": TAGS,
        },
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        "AWS::IAM::RolePolicy",
        name="PolicyName",
        properties={"policy": document("PolicyDocument"), "role": renamed("RoleName")},
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Part(
        "aws:iam/role:Role", {"role": "name"}, {"policyArn": listed("ManagedPolicyArns")}
    ),
    "aws:iam/policy:Policy": Kind(
        "AWS::IAM::ManagedPolicy",
        name="ManagedPolicyName",
        properties={"policy": document("PolicyDocument")},
    ),
    "aws:iam/instanceProfile:InstanceProfile": Kind(
        "AWS::IAM::InstanceProfile",
        name="InstanceProfileName",
        properties={"role": listed("Roles")},
    ),
    "aws:kms/key:Key": Kind(
        "AWS::KMS::Key",
        {
            **same("description", "enableKeyRotation", "rotationPeriodInDays"),
            "deletionWindowInDays": renamed("PendingWindowInDays"),
            "policy": document("KeyPolicy"),
        },
    ),
    "aws:kms/alias:Alias": Kind(
        "AWS::KMS::Alias", name="AliasName", properties={"targetKeyId": renamed("TargetKeyId")}
    ),
}
