"""What holds data or secrets is kept, rotated, scanned and forgotten in time."""

from collections.abc import Iterator

from ..declaring import ADVISORY, Settings, number, resource_policy, stack_policy, texts
from ..reading import UNKNOWN, as_number, is_on, may_be, may_be_within
from ..resources import THROWAWAY_STACKS, Resource, Stack
from .buckets import BUCKETS
from .tables import TABLE

_KEY = "aws:kms/key:Key"
_SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type, not a secret
_SECRET_ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"  # noqa: S105 - as above
_REPOSITORY = "aws:ecr/repository:Repository"
_REGISTRY_SCANNING = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"


@resource_policy("kms-rotation", _KEY)
def keys_are_rotated(key: Resource, _: Settings) -> Iterator[str]:
    # Asymmetric keys and keys for signing cannot be.
    """Keys are rotated."""
    can_rotate = key.at("customerMasterKeySpec") in (None, "SYMMETRIC_DEFAULT") and key.at(
        "keyUsage"
    ) in (None, "ENCRYPT_DECRYPT")
    if can_rotate and not is_on(key.at("enableKeyRotation")):
        yield "set enable_key_rotation"


@stack_policy(
    "secrets-rotation",
    level=ADVISORY,
    schema={"maxDays": number(90, minimum=1)},
)
def secrets_are_rotated(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """Secrets are rotated."""
    most = settings["maxDays"]
    for secret in stack.of(_SECRET):
        rotations = stack.referring_to(secret, [_SECRET_ROTATION], "secretId")
        if not any(_rotates_within(most, rotation) for rotation in rotations):
            yield secret, f"add a SecretRotation of at most {most:g} days, or rotate it by hand"


def _rotates_within(most: float, rotation: Resource) -> bool:
    days = rotation.at("rotationRules", "automaticallyAfterDays")
    by_expression = rotation.at("rotationRules", "scheduleExpression")
    return may_be_within(days, 1, most) or (days is None and by_expression is not None)


@stack_policy("ecr-immutable-scan")
def images_are_fixed_and_scanned(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """Image tags never move, and images are scanned when pushed."""
    is_registry_scanned = any(True for _ in stack.of(_REGISTRY_SCANNING))
    for repository in stack.of(_REPOSITORY):
        if not may_be(repository.at("imageTagMutability"), ["IMMUTABLE"]):
            yield repository, "set image_tag_mutability to IMMUTABLE"
        is_scanned = is_on(repository.at("imageScanningConfiguration", "scanOnPush"))
        if not (is_scanned or is_registry_scanned):
            yield repository, "set image_scanning_configuration={scan_on_push: true}"


@resource_policy("log-retention", "aws:cloudwatch/logGroup:LogGroup")
def logs_are_forgotten(group: Resource, _: Settings) -> Iterator[str]:
    """Logs are kept for a set time."""
    days = group.at("retentionInDays")
    if days is not UNKNOWN and not as_number(days):  # 0 is for ever, too
        yield "set retention_in_days"


@resource_policy(
    "protect-stateful",
    *BUCKETS,
    TABLE,
    _KEY,
    schema={"exemptStacks": texts(*THROWAWAY_STACKS)},
)
def data_is_protected(resource: Resource, settings: Settings) -> Iterator[str]:
    """Outside throwaway stacks Pulumi refuses to delete tables, buckets and keys."""
    if not (resource.is_protected or resource.is_in(settings["exemptStacks"])):
        yield "declare it with opts=ResourceOptions(protect=True)"
