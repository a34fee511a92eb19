"""DynamoDB tables, S3 buckets and secrets."""

import json
from typing import Any

from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.registration import Made, Materialiser, Registration


def _index(index: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3's own shape
    projection = {"ProjectionType": index["projectionType"]}
    names = index.get("nonKeyAttributes")
    return {
        "IndexName": index["name"],
        "KeySchema": [
            {"AttributeName": key["attributeName"], "KeyType": key["keyType"]}
            for key in index["keySchemas"]
        ],
        "Projection": {**projection, "NonKeyAttributes": names} if names else projection,
    }


def _table(aws: EmulatedAws, table: Registration) -> Made:
    name = table.take("name", table.name)
    table.pass_over(
        "tags", "billingMode", "pointInTimeRecovery", "serverSideEncryption",
        "deletionProtectionEnabled", "tableClass",
    )  # fmt: skip
    indexes = [_index(index) for index in table.take("globalSecondaryIndexes", [])]
    optional: dict[str, Any] = {"GlobalSecondaryIndexes": indexes} if indexes else {}
    description = aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": table.need("hashKey"), "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in table.need("attributes")
        ],
        **optional,
    )["TableDescription"]
    if ttl := table.take("ttl"):
        aws.dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={
                "Enabled": ttl.get("enabled", True),
                "AttributeName": ttl["attributeName"],
            },
        )
    return table.made(name, name=name, arn=description["TableArn"])


def _table_item(aws: EmulatedAws, resource: Registration) -> Made:
    table = resource.need("tableName")
    resource.pass_over("hashKey")
    aws.dynamodb.put_item(TableName=table, Item=json.loads(resource.need("item")))
    return resource.made(f"{table}/{resource.name}")


def _bucket(aws: EmulatedAws, bucket: Registration) -> Made:
    name = bucket.take("bucket", bucket.name)
    bucket.pass_over("tags", "forceDestroy")
    aws.make_bucket(name)
    return bucket.made(
        name,
        bucket=name,
        arn=f"arn:aws:s3:::{name}",
        bucketRegionalDomainName=f"{name}.s3.{aws.region}.amazonaws.com",
    )


def _bucket_versioning(aws: EmulatedAws, resource: Registration) -> Made:
    bucket = resource.need("bucket")
    status = resource.need("versioningConfiguration")["status"]
    aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    return resource.made(bucket)


def _bucket_policy(aws: EmulatedAws, resource: Registration) -> Made:
    bucket = resource.need("bucket")
    aws.s3.put_bucket_policy(Bucket=bucket, Policy=resource.need("policy"))
    return resource.made(bucket)


def _secret(aws: EmulatedAws, secret: Registration) -> Made:
    name = secret.take("name", secret.name)
    secret.pass_over("tags", "recoveryWindowInDays", "kmsKeyId", "description")
    arn = aws.secretsmanager.create_secret(Name=name)["ARN"]
    return secret.made(arn, name=name, arn=arn)


def _secret_version(aws: EmulatedAws, resource: Registration) -> Made:
    secret = resource.need("secretId")
    resource.pass_over("secretStringWoVersion")
    value = resource.take("secretString") or resource.need("secretStringWo")
    version = aws.secretsmanager.put_secret_value(SecretId=secret, SecretString=value)["VersionId"]
    return resource.made(f"{secret}|{version}", versionId=version)


MATERIALISERS: dict[str, Materialiser] = {
    "aws:dynamodb/table:Table": _table,
    "aws:dynamodb/tableItem:TableItem": _table_item,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_versioning,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
}
