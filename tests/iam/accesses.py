"""What IAM is asked when an API is called: most calls are one action, some are more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.iam.evaluation import Access
from tests.iam.recorder import Call

_DYNAMODB = {"BatchGetItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"}
_SQS = {
    # IAM knows no batches.
    "ChangeMessageVisibility": "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "DeleteMessageBatch": "DeleteMessage",
    "GetQueueAttributes": "GetQueueAttributes",
    "ReceiveMessage": "ReceiveMessage",
    "SendMessage": "SendMessage",
    "SendMessageBatch": "SendMessage",
}
_SNS = {"Publish": "Publish", "PublishBatch": "Publish"}
_S3 = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObject": "DeleteObject",
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "PutObject": "PutObject",
    "UploadPart": "PutObject",
}
_DECRYPT, _NEW_DATA_KEY = "kms:Decrypt", "kms:GenerateDataKey"
_BOTH = (_DECRYPT, _NEW_DATA_KEY)
_USES_OF_KEYS: Mapping[tuple[str, str], tuple[str, ...]] = {
    **{("dynamodb", operation): (_DECRYPT,) for operation in _DYNAMODB},
    ("s3", "CompleteMultipartUpload"): _BOTH,
    ("s3", "CreateMultipartUpload"): _BOTH,
    ("s3", "UploadPart"): _BOTH,
    ("s3", "GetObject"): (_DECRYPT,),
    ("s3", "PutObject"): (_NEW_DATA_KEY,),
    ("secretsmanager", "GetSecretValue"): (_DECRYPT,),
    ("sns", "Publish"): _BOTH,
    ("sns", "PublishBatch"): _BOTH,
    ("sqs", "ReceiveMessage"): (_DECRYPT,),
    ("sqs", "SendMessage"): _BOTH,
    ("sqs", "SendMessageBatch"): _BOTH,
}
"""What a service does with the key of a resource in the name of who calls it."""


_Use = tuple[str, str, *tuple[tuple[str, str], ...]]
"""Action, resource, and what IAM knows of this use alone: keys of conditions with their values."""


@dataclass(frozen=True)
class Surroundings:
    """What IAM knows beside the call itself."""

    region: str
    account_id: str
    keys: Mapping[str, str]
    """By ARN of what is encrypted: the ARN of the account's own key that it lies under."""

    tags: Mapping[str, Mapping[str, str]]
    """By ARN."""

    def access(
        self, action: str, resource: str, more: Sequence[tuple[str, str]] = (), /, **context: str
    ) -> Access:
        """Return one use by a role of the account; keys of `more` may come several times."""
        known = {
            "aws:PrincipalAccount": self.account_id,
            "aws:PrincipalIsAWSService": "false",
            "aws:RequestedRegion": self.region,
            "aws:SecureTransport": "true",
            **{f"aws:ResourceTag/{key}": tag for key, tag in self.tags.get(resource, {}).items()},
            **context,
        }
        return Access(action, resource, (*known.items(), *more))

    def accesses(self, call: Call) -> Iterator[Access]:
        """Yield what a call uses.

        Raises:
            LookupError: the operation is not known here.
        """
        for action, resource, *more in self._uses(call):
            yield self.access(action, resource, more)
            if key := self.keys.get(_holder(call.service, resource)):
                through = f"{call.service}.{self.region}.amazonaws.com"
                for use in _USES_OF_KEYS.get((call.service, call.operation), ()):
                    yield self.access(use, key, **{"kms:ViaService": through})

    def _uses(self, call: Call) -> Iterator[_Use]:
        operation, given = call.operation, call.parameters
        match call.service:
            case "dynamodb" if operation in _DYNAMODB:
                for table in given.get("RequestItems", [given.get("TableName")]):
                    index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
                    place = self._arn("dynamodb", f"table/{table}{index}")
                    yield f"dynamodb:{operation}", place, *_leading_keys(given, table)
            case "sqs":
                name = urlsplit(given["QueueUrl"]).path.rpartition("/")[2]
                yield f"sqs:{_SQS[operation]}", self._arn("sqs", name)
            case "sns":
                yield f"sns:{_SNS[operation]}", given["TopicArn"]
            case "s3":
                yield from _uses_of_objects(call)
            case "sts" if operation == "AssumeRole":
                yield "sts:AssumeRole", given["RoleArn"]
            case "secretsmanager" if operation == "GetSecretValue":
                yield "secretsmanager:GetSecretValue", given["SecretId"]
            case _:
                raise LookupError(f"{call.service}:{operation} is not known; teach it")

    def _arn(self, service: str, name: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{name}"


def _holder(service: str, resource: str) -> str:
    """Return what lies under a key: the bucket of an object, the table of an index."""
    return resource.partition("/" if service == "s3" else "/index/")[0]


def _leading_keys(given: Mapping[str, Any], table: str) -> Iterator[tuple[str, str]]:
    """Yield the partition keys that a call names; all tables with roles by key have one of text."""
    of_batch = given.get("RequestItems", {}).get(table, {}).get("Keys", ())
    for key in (given["Key"],) if "Key" in given else of_batch:
        yield from (("dynamodb:LeadingKeys", value["S"]) for value in key.values())


def _uses_of_objects(call: Call) -> Iterator[_Use]:
    bucket = f"arn:aws:s3:::{call.parameters['Bucket']}"
    place = f"{bucket}/{call.parameters['Key']}"
    yield f"s3:{_S3[call.operation]}", place
    if "IfMatch" in call.parameters:
        yield "s3:GetObject", place
    if call.found_nothing:
        # Who may not list is told 403, not 404.
        yield "s3:ListBucket", bucket, ("s3:prefix", call.parameters["Key"])
