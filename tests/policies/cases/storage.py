from typing import Any

from tests.policies.cases.case import fails, no_plain_http, passes, policy_text, resource
from tests.policies.servicer import Given

ARN = "arn:aws:s3:::data"


def bucket(**props: Any) -> Given:
    return resource("s3/bucket", "data", bucket="data-1", **props)


def closed(**props: Any) -> Given:
    on = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    values = {**dict.fromkeys(on, True), **props}
    return resource("s3/bucketPublicAccessBlock", "data-closed", **{"bucket": "data-1", **values})


def encrypted(algorithm: str, **rule: Any) -> Given:
    by_default = {"sseAlgorithm": algorithm}
    rules = [{"applyServerSideEncryptionByDefault": by_default, **rule}]
    kind = "s3/bucketServerSideEncryptionConfiguration"
    return resource(kind, "data-encryption", bucket="data-1", rules=rules)


def guarded(**statement: Any) -> Given:
    parts = {"Action": "s3:*", "Resource": [ARN, f"{ARN}/*"], **statement}
    text = policy_text(no_plain_http(**parts))
    return resource("s3/bucketPolicy", "data-policy", bucket="data-1", policy=text)


def owned(ownership: str) -> Given:
    rule = {"objectOwnership": ownership}
    return resource("s3/bucketOwnershipControls", "data-owned", bucket="data-1", rule=rule)


def expiring(*rules: dict[str, Any]) -> Given:
    kind = "s3/bucketLifecycleConfiguration"
    return resource(kind, "data-lifecycle", bucket="data-1", rules=list(rules))


EXPIRE = {"status": "Enabled", "expiration": {"days": 14}}
ABORT = {"abortIncompleteMultipartUpload": {"daysAfterInitiation": 1}}


def table(**props: Any) -> Given:
    return resource("dynamodb/table", "requests-table", **props)


def in_dev(given: Given) -> Given:
    return given._replace(stack="dev")


def key(**props: Any) -> Given:
    return resource("kms/key", "data-key", **props)


SECRET = resource("secretsmanager/secret", "signing", arn="arn:aws:secretsmanager:::signing")


def rotated(days: int) -> Given:
    rules = {"automaticallyAfterDays": days}
    kind = "secretsmanager/secretRotation"
    return resource(kind, "rotation", secretId=SECRET.props["arn"], rotationRules=rules)


def repository(tags: str, **props: Any) -> Given:
    return resource("ecr/repository", "images", imageTagMutability=tags, **props)


SCANNED = {"imageScanningConfiguration": {"scanOnPush": True}}

CASES = [
    passes("s3-public-access-block", "closed in four ways", bucket(), closed()),
    fails("s3-public-access-block", "no block", bucket(), says="data: add a BucketPublicAccess"),
    fails(
        "s3-public-access-block",
        "one way left open",
        bucket(),
        closed(blockPublicPolicy=False),
        says="set blockPublicPolicy to true in data-closed",
    ),
    fails(
        "s3-public-access-block",
        "the block of another bucket",
        bucket(),
        closed(bucket="other"),
        says="data: add a BucketPublicAccessBlock",
    ),
    passes(
        "s3-encryption-kms",
        "KMS and a bucket key",
        bucket(),
        encrypted("aws:kms", bucketKeyEnabled=True),
    ),
    passes(
        "s3-encryption-kms",
        "AES256 where the config allows it",
        bucket(),
        encrypted("AES256"),
        config={"allowAES256": True},
    ),
    fails("s3-encryption-kms", "AES256", bucket(), encrypted("AES256"), says="with aws:kms"),
    fails("s3-encryption-kms", "nothing said", bucket(), says="data: add a BucketServerSide"),
    fails(
        "s3-encryption-kms",
        "no bucket key",
        bucket(),
        encrypted("aws:kms"),
        says="set bucket_key_enabled",
    ),
    passes("s3-tls-only", "plain HTTP refused", bucket(), guarded()),
    fails("s3-tls-only", "no policy", bucket(), says="data: add a BucketPolicy that denies"),
    fails("s3-tls-only", "only some calls", bucket(), guarded(Action="s3:GetObject"), says="data:"),
    fails("s3-tls-only", "only the objects", bucket(), guarded(Resource=f"{ARN}/*"), says="data:"),
    fails("s3-tls-only", "allowed instead", bucket(), guarded(Effect="Allow"), says="data:"),
    fails(
        "s3-tls-only",
        "only for one caller",
        bucket(),
        guarded(Principal={"AWS": "arn:aws:iam::123456789012:root"}),
        says="data:",
    ),
    passes("s3-ownership-enforced", "owned", bucket(), owned("BucketOwnerEnforced")),
    fails(
        "s3-ownership-enforced",
        "shared",
        bucket(),
        owned("ObjectWriter"),
        says="data: add BucketOwnershipControls",
    ),
    fails(
        "s3-ownership-enforced",
        "an ACL",
        bucket(acl="public-read"),
        owned("BucketOwnerEnforced"),
        says="take acl and grants away",
    ),
    fails(
        "s3-ownership-enforced",
        "an ACL beside the bucket",
        bucket(),
        owned("BucketOwnerEnforced"),
        resource("s3/bucketAcl", "data-acl", bucket="data-1"),
        says="data-acl: take the ACL away",
    ),
    passes("s3-lifecycle", "objects expire", bucket(), expiring({**EXPIRE, **ABORT})),
    fails("s3-lifecycle", "uploads stay", bucket(), expiring(EXPIRE), says="abort_incomplete"),
    fails(
        "s3-lifecycle",
        "not within the days of the config",
        bucket(),
        expiring({**EXPIRE, **ABORT}),
        says="expires objects within 7 days",
        config={"maxDays": 7},
    ),
    fails(
        "s3-lifecycle",
        "the rule is off",
        bucket(),
        expiring({**EXPIRE, "status": "Disabled"}, {"status": "Enabled", **ABORT}),
        says="expires objects within 365 days",
    ),
    passes("s3-no-force-destroy", "kept", bucket()),
    passes("s3-no-force-destroy", "a throwaway stack", in_dev(bucket(forceDestroy=True))),
    passes(
        "s3-no-force-destroy",
        "a stack of the config",
        bucket(forceDestroy=True),
        config={"allowedStacks": ["prod*"]},
    ),
    fails(
        "s3-no-force-destroy",
        "production",
        bucket(forceDestroy=True),
        says="data: take force_destroy away",
    ),
    passes("ddb-pitr", "restorable", table(pointInTimeRecovery={"enabled": True})),
    passes("ddb-pitr", "exempt", in_dev(table()), config={"exemptStacks": ["dev"]}),
    fails("ddb-pitr", "not restorable", table(), says="set point_in_time_recovery"),
    passes("ddb-deletion-protection", "protected", table(deletionProtectionEnabled=True)),
    passes("ddb-deletion-protection", "a throwaway stack", in_dev(table())),
    passes(
        "ddb-deletion-protection",
        "exempt by config",
        table(),
        config={"exemptStacks": ["production"]},
    ),
    fails("ddb-deletion-protection", "open", table(), says="set deletion_protection_enabled"),
    passes("ddb-encrypted", "encrypted", table(serverSideEncryption={"enabled": True})),
    passes("ddb-encrypted", "exempt", in_dev(table()), config={"exemptStacks": ["dev"]}),
    fails(
        "ddb-encrypted",
        "switched off",
        table(serverSideEncryption={"enabled": False}),
        says="set server_side_encryption",
    ),
    passes("ddb-ttl", "requests are forgotten", table(ttl={"enabled": True})),
    passes("ddb-ttl", "another table", resource("dynamodb/table", "catalog-table")),
    passes("ddb-ttl", "of other names by config", table(), config={"tables": ["jobs"]}),
    fails("ddb-ttl", "kept for ever", table(), says="requests-table: set ttl"),
    passes("kms-rotation", "rotated", key(enableKeyRotation=True)),
    passes("kms-rotation", "cannot rotate", key(customerMasterKeySpec="RSA_2048")),
    fails("kms-rotation", "never rotated", key(), says="set enable_key_rotation"),
    passes("secrets-rotation", "rotated in time", SECRET, rotated(30)),
    passes(
        "secrets-rotation", "in time for the config", SECRET, rotated(365), config={"maxDays": 365}
    ),
    fails("secrets-rotation", "never rotated", SECRET, says="signing: add a SecretRotation"),
    fails("secrets-rotation", "too seldom", SECRET, rotated(365), says="at most 90 days"),
    passes("ecr-immutable-scan", "fixed and scanned", repository("IMMUTABLE", **SCANNED)),
    passes(
        "ecr-immutable-scan",
        "the whole registry is scanned",
        repository("IMMUTABLE"),
        resource("ecr/registryScanningConfiguration", "scanning", scanType="ENHANCED"),
    ),
    fails("ecr-immutable-scan", "tags move", repository("MUTABLE", **SCANNED), says="IMMUTABLE"),
    fails("ecr-immutable-scan", "unscanned", repository("IMMUTABLE"), says="scan_on_push"),
    passes(
        "log-retention", "for a month", resource("cloudwatch/logGroup", "logs", retentionInDays=30)
    ),
    fails(
        "log-retention", "for ever", resource("cloudwatch/logGroup", "logs"), says="logs: set ret"
    ),
    fails(
        "log-retention",
        "for ever, spelt out",
        resource("cloudwatch/logGroup", "logs", retentionInDays=0),
        says="set retention_in_days",
    ),
    passes("protect-stateful", "protected", table()._replace(is_protected=True)),
    passes("protect-stateful", "a throwaway stack", in_dev(key())),
    passes("protect-stateful", "exempt by config", key(), config={"exemptStacks": ["production"]}),
    fails("protect-stateful", "an open table", table(), says="requests-table: declare it with"),
    fails("protect-stateful", "an open bucket", bucket(), says="protect=True"),
    fails("protect-stateful", "an open key", key(), says="protect=True"),
]
