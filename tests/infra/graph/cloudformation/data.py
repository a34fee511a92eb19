"""DynamoDB, S3, ECR and Secrets Manager."""

from typing import Any

from tests.infra.graph.cloudformation.kinds import Kind, Part
from tests.infra.graph.cloudformation.properties import (
    TAGS,
    document,
    inside,
    nothing,
    renamed,
    same,
    unpacked,
    within,
)

_BUCKET = "aws:s3/bucket:Bucket"
_OF_BUCKET = {"bucket": "bucket"}


def _key(kind: str) -> Any:
    return lambda name: {"KeySchema": [{"AttributeName": name, "KeyType": kind}]}


DATA: dict[str, Kind | Part] = {
    "aws:dynamodb/table:Table": Kind(
        "AWS::DynamoDB::Table",
        name="TableName",
        properties={
            **same("billingMode", "deletionProtectionEnabled"),
            "attributes": inside(
                "AttributeDefinitions",
                {"name": renamed("AttributeName"), "type": renamed("AttributeType")},
            ),
            "globalSecondaryIndexes": inside(
                "GlobalSecondaryIndexes",
                {
                    "keySchemas": inside("KeySchema", same("attributeName", "keyType")),
                    "name": renamed("IndexName"),
                    **within("Projection", same("projectionType", "nonKeyAttributes")),
                },
            ),
            "hashKey": _key("HASH"),
            "pointInTimeRecovery": inside(
                "PointInTimeRecoverySpecification",
                {"enabled": renamed("PointInTimeRecoveryEnabled")},
            ),
            "rangeKey": _key("RANGE"),
            "serverSideEncryption": inside(
                "SSESpecification",
                {
                    "enabled": renamed("SSEEnabled"),
                    "kmsKeyArn": lambda arn: {"SSEType": "KMS", "KMSMasterKeyId": arn},
                },
            ),
            "ttl": inside("TimeToLiveSpecification", same("attributeName", "enabled")),
        },
    ),
    _BUCKET: Kind("AWS::S3::Bucket", name="BucketName", properties={"forceDestroy": nothing}),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Part(
        _BUCKET,
        _OF_BUCKET,
        within(
            "LifecycleConfiguration",
            {
                "rules": inside(
                    "Rules",
                    {
                        **same("id", "status"),
                        "abortIncompleteMultipartUpload": inside(
                            "AbortIncompleteMultipartUpload", same("daysAfterInitiation")
                        ),
                        "expiration": unpacked({"days": renamed("ExpirationInDays")}),
                        "filter": unpacked(same("prefix")),
                    },
                )
            },
        ),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Part(
        _BUCKET,
        _OF_BUCKET,
        within(
            "OwnershipControls",
            {"rule": lambda rule: inside("Rules", same("objectOwnership"))([rule])},
        ),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Kind(
        "AWS::S3::BucketPolicy",
        {"bucket": renamed("Bucket"), "policy": document("PolicyDocument")},
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Part(
        _BUCKET,
        _OF_BUCKET,
        within(
            "PublicAccessBlockConfiguration",
            same(
                "blockPublicAcls",
                "blockPublicPolicy",
                "ignorePublicAcls",
                "restrictPublicBuckets",
            ),
        ),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Part(
        _BUCKET,
        _OF_BUCKET,
        within(
            "BucketEncryption",
            {
                "rules": inside(
                    "ServerSideEncryptionConfiguration",
                    {
                        "applyServerSideEncryptionByDefault": inside(
                            "ServerSideEncryptionByDefault",
                            {
                                "kmsMasterKeyId": renamed("KMSMasterKeyID"),
                                "sseAlgorithm": renamed("SSEAlgorithm"),
                            },
                        ),
                        "blockedEncryptionTypes": renamed(
                            "BlockedEncryptionTypes", lambda types: {"EncryptionType": types}
                        ),
                        "bucketKeyEnabled": renamed("BucketKeyEnabled"),
                    },
                )
            },
        ),
    ),
    "aws:ecr/repository:Repository": Kind(
        "AWS::ECR::Repository",
        name="RepositoryName",
        properties={
            "forceDelete": renamed("EmptyOnDelete"),
            "imageScanningConfiguration": inside("ImageScanningConfiguration", same("scanOnPush")),
            "imageTagMutability": renamed("ImageTagMutability"),
        },
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Part(
        "aws:ecr/repository:Repository",
        {"repository": "name"},
        within("LifecyclePolicy", {"policy": renamed("LifecyclePolicyText")}),
    ),
    "aws:secretsmanager/secret:Secret": Kind(
        "AWS::SecretsManager::Secret",
        name="Name",
        properties={
            **same("description", "kmsKeyId"),
            "recoveryWindowInDays": nothing,
            "tags": TAGS,
        },
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Part(
        "aws:secretsmanager/secret:Secret",
        {"secretId": "id"},
        {"secretStringWo": renamed("SecretString"), "secretStringWoVersion": nothing},
    ),
}
