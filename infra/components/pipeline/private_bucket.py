"""An S3 bucket for objects that a few roles write and that pass away by themselves."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.custody.custody import Custody
from infra.components.permissions import Statement, allow, policy


@dataclass(frozen=True, kw_only=True)
class PrivateBucketArgs:
    """What a bucket needs to know."""

    custody: Custody
    lifetime_days: int
    """How long an object is kept. S3 deletes up to a day late."""

    is_protected: bool
    """Whether the bucket refuses to be deleted while objects lie in it."""


class PrivateBucket(pulumi.ComponentResource):
    """An encrypted bucket, closed to the public, whose objects expire."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:PrivateBucket", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            force_destroy=not args.is_protected,
            opts=pulumi.ResourceOptions(parent=self, protect=args.is_protected),
        )
        self.name, self.arn = bucket.bucket, bucket.arn
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=child,
        )
        closed = aws.s3.BucketPublicAccessBlock(
            f"{name}-closed",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        _encrypt(name, bucket, args.custody, child)
        _expire(name, bucket, args.lifetime_days, child)
        # S3 refuses two settings of one bucket at a time; these two collide.
        after = pulumi.ResourceOptions(parent=self, depends_on=[closed])
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.bucket,
            policy=policy(*args.custody.refusals("s3:*", [self.arn, self._objects("*")])),
            opts=after,
        )
        self.register_outputs({"name": self.name, "arn": self.arn})

    def statement_to_read(self, *prefixes: str) -> Statement:
        """Allow to get objects whose keys begin with one of `prefixes`."""
        return allow("s3:GetObject", [self._objects(f"{prefix}*") for prefix in prefixes])

    def statement_to_write(self, *prefixes: str) -> Statement:
        """Allow to put objects whose keys begin with one of `prefixes`."""
        return allow("s3:PutObject", [self._objects(f"{prefix}*") for prefix in prefixes])

    def statement_to_remove(self, *prefixes: str) -> Statement:
        """Allow to remove objects whose keys begin with one of `prefixes`."""
        return allow("s3:DeleteObject", [self._objects(f"{prefix}*") for prefix in prefixes])

    def statement_to_abandon(self, *prefixes: str) -> Statement:
        """Allow to break off an upload that was begun in parts."""
        objects = [self._objects(f"{prefix}*") for prefix in prefixes]
        return allow("s3:AbortMultipartUpload", objects)

    def statement_to_miss(self, *prefixes: str) -> Statement:
        """Allow to learn that an object is absent: without it S3 answers 403, not 404.

        Who may do so may also list names; with `prefixes`, only those that begin with one. S3
        compares the key of an object that is looked for, or the prefix of a listing.
        """
        if not prefixes:
            return allow("s3:ListBucket", self.arn)
        own = {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}
        return allow("s3:ListBucket", self.arn, {"StringLike": own})

    def _objects(self, pattern: str) -> pulumi.Output[str]:
        return pulumi.Output.concat(self.arn, "/", pattern)


def _encrypt(
    name: str, bucket: aws.s3.Bucket, custody: Custody, child: pulumi.ResourceOptions
) -> None:
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": custody.key_arn,
                },
                # Without it every object costs a call to KMS.
                "bucket_key_enabled": True,
                "blocked_encryption_types": ["SSE-C"],
            }
        ],
        opts=child,
    )


def _expire(name: str, bucket: aws.s3.Bucket, days: int, child: pulumi.ResourceOptions) -> None:
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        rules=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "expiration": {"days": days},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
            }
        ],
        opts=child,
    )
