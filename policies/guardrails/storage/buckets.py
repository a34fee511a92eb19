"""Buckets are closed, encrypted, reached by TLS, owned by us, and forget."""

from collections.abc import Iterator
from typing import Any

from ..declaring import Settings, number, resource_policy, stack_policy, switch, texts
from ..reading import UNKNOWN, as_number, at, has_gap, is_on, may_be, parts
from ..resources import THROWAWAY_STACKS, Resource, Stack
from ..statements import Statement, refuses_plain_http, statements, texts_of

BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
_PUBLIC_ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_CLOSED = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
_OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
_ACLS = ("aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2")
_ENCRYPTION = tuple(
    f"aws:s3/bucketServerSideEncryptionConfiguration{v}:BucketServerSideEncryptionConfiguration{v}"
    for v in ("", "V2")
)
_LIFECYCLE = tuple(
    f"aws:s3/bucketLifecycleConfiguration{v}:BucketLifecycleConfiguration{v}" for v in ("", "V2")
)


@stack_policy("s3-public-access-block")
def buckets_are_closed(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """Every bucket is closed to the public, in all four ways."""
    for bucket in stack.of(*BUCKETS):
        blocks = stack.referring_to(bucket, [_PUBLIC_ACCESS_BLOCK], "bucket")
        if not blocks:
            yield bucket, "add a BucketPublicAccessBlock with all four settings true"
        for block in blocks:
            if is_open := [key for key in _CLOSED if not is_on(block.at(key))]:
                yield bucket, f"set {', '.join(is_open)} to true in {block.name}"


@stack_policy(
    "s3-encryption-kms",
    schema={"allowAES256": switch(default=False)},
)
def buckets_are_encrypted(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """Every bucket encrypts its objects under KMS, with a bucket key."""
    for bucket in stack.of(*BUCKETS):
        configured = stack.referring_to(bucket, _ENCRYPTION, "bucket")
        if not configured:
            yield bucket, "add a BucketServerSideEncryptionConfiguration with aws:kms"
        for resource in configured:
            for rule in parts(resource.at("rules")):
                yield from ((bucket, advice) for advice in _encryption_faults(rule, settings))


def _encryption_faults(rule: dict[str, Any], settings: Settings) -> Iterator[str]:
    algorithm = at(rule, "applyServerSideEncryptionByDefault", "sseAlgorithm")
    if settings["allowAES256"] and may_be(algorithm, ["AES256"]):
        return
    if not may_be(algorithm, ("aws:kms", "aws:kms:dsse")):
        yield "encrypt with aws:kms (sse_algorithm), or allow AES256 by config"
    elif not is_on(rule.get("bucketKeyEnabled")):
        yield "set bucket_key_enabled: without it every object costs a call to KMS"


@stack_policy("s3-tls-only")
def buckets_refuse_plain_http(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """Every bucket refuses callers without TLS."""
    for bucket in stack.of(*BUCKETS):
        policies = stack.referring_to(bucket, [_POLICY], "bucket")
        documents = [statements(policy.at("policy")) for policy in policies]
        if not any(found is None or any(map(_closes_bucket, found)) for found in documents):
            yield (
                bucket,
                (
                    "add a BucketPolicy that denies s3:* on the bucket and its objects to everyone"
                    " while aws:SecureTransport is false"
                ),
            )


def _closes_bucket(statement: Statement) -> bool:
    resources = texts_of(statement.get("Resource"))
    covers_all = "*" in resources or (
        any(r.endswith("/*") for r in resources) and any("/" not in r for r in resources)
    )
    covers_calls = bool({"*", "s3:*"} & set(texts_of(statement.get("Action"))))
    return covers_calls and covers_all and refuses_plain_http(statement)


@stack_policy("s3-ownership-enforced")
def buckets_own_their_objects(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """Buckets own what lies in them, and know no ACLs."""
    for bucket in stack.of(*BUCKETS):
        controls = stack.referring_to(bucket, [_OWNERSHIP], "bucket")
        if not any(
            may_be(c.at("rule", "objectOwnership"), ["BucketOwnerEnforced"]) for c in controls
        ):
            yield bucket, "add BucketOwnershipControls with object_ownership BucketOwnerEnforced"
        if bucket.at("acl") not in (None, UNKNOWN, "private") or parts(bucket.at("grants")):
            yield bucket, "take acl and grants away"
    for acl in stack.of(*_ACLS):
        yield acl, "take the ACL away: BucketOwnerEnforced has none"


@stack_policy(
    "s3-lifecycle",
    schema={"maxDays": number(365, minimum=1)},
)
def objects_expire(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """Objects expire, and uploads that were never finished are removed."""
    most = settings["maxDays"]
    for bucket in stack.of(*BUCKETS):
        configured = stack.referring_to(bucket, _LIFECYCLE, "bucket")
        if any(has_gap(c.at("rules")) for c in configured):
            continue
        rules = [
            rule
            for c in configured
            for rule in parts(c.at("rules"))
            if may_be(rule.get("status"), ["Enabled"])
        ]
        days = [at(rule, "expiration", "days") for rule in rules]
        if not any(d is UNKNOWN or 0 < (as_number(d) or 0) <= most for d in days):
            yield bucket, f"add a lifecycle rule that expires objects within {most:g} days"
        if not any(at(rule, "abortIncompleteMultipartUpload") for rule in rules):
            yield bucket, "add abort_incomplete_multipart_upload to a lifecycle rule"


@resource_policy(
    "s3-no-force-destroy",
    *BUCKETS,
    schema={"allowedStacks": texts(*THROWAWAY_STACKS)},
)
def buckets_with_objects_stay(bucket: Resource, settings: Settings) -> Iterator[str]:
    """Outside throwaway stacks a bucket with objects cannot be deleted."""
    if bucket.at("forceDestroy") in (True, "true") and not bucket.is_in(settings["allowedStacks"]):
        yield f"take force_destroy away, or allow it for stack {bucket.stack_name} by config"
