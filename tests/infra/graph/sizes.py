"""How large policies and other documents may be, of which a stack makes longer ones as it grows."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.infra.recording import Declared, Registered

_ROLE_POLICIES, _ATTACHED = 10_240, 10
"""Characters of a role's own policies together; how many it may have beside them."""

_DOCUMENTS = {
    ("aws:iam/policy:Policy", "policy"): 6_144,
    ("aws:iam/role:Role", "assumeRolePolicy"): 2_048,
    ("aws:kms/key:Key", "policy"): 32_768,
    ("aws:s3/bucketPolicy:BucketPolicy", "policy"): 20_480,
    ("aws:sns/topicPolicy:TopicPolicy", "policy"): 30_720,
    ("aws:sqs/queuePolicy:QueuePolicy", "policy"): 8_192,
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "policy"): 20_480,
    ("aws:dynamodb/tableItem:TableItem", "item"): 400 * 1_024,
    ("aws:ec2/launchTemplate:LaunchTemplate", "userData"): 16 * 1_024 * 4 // 3,
}
"""By type and input: the most characters, of policies without blanks."""

_VARIABLES = 4_096
_WIDGETS, _METRICS = 500, 2_500


def oversized(declared: Declared) -> list[str]:
    """Return everything that is larger than AWS takes."""
    return [
        f"{name}: {size} where {most} are allowed"
        for name, size, most in _sizes(declared)
        if size > most
    ]


def _sizes(declared: Declared) -> Iterator[tuple[str, int, int]]:
    for resource in declared:
        for (kind, key), most in _DOCUMENTS.items():
            if resource.type == kind and key in resource.inputs:
                yield f"{resource.name} {key}", _length(resource.inputs[key]), most
    yield from _of_roles(declared)
    for function in declared.of_type("lambda/function:Function"):
        variables = function.inputs["environment"]["variables"]
        size = sum(len(name) + len(value) for name, value in variables.items())
        yield f"{function.name} variables", size, _VARIABLES
    for dashboard in declared.of_type("cloudwatch/dashboard:Dashboard"):
        yield from _of_dashboard(dashboard)


def _of_roles(declared: Declared) -> Iterator[tuple[str, int, int]]:
    own: dict[str, int] = defaultdict(int)
    attached: dict[str, int] = defaultdict(int)
    for policy in declared.of_type("iam/rolePolicy:RolePolicy"):
        own[policy.inputs["role"]] += _length(policy.inputs["policy"])
    for attachment in declared.of_type(":RolePolicyAttachment"):
        attached[attachment.inputs["role"]] += 1
    yield from ((f"{role} own policies", size, _ROLE_POLICIES) for role, size in own.items())
    yield from ((f"{role} policies attached", n, _ATTACHED) for role, n in attached.items())


def _of_dashboard(dashboard: Registered) -> Iterator[tuple[str, int, int]]:
    widgets: list[dict[str, Any]] = json.loads(dashboard.inputs["dashboardBody"])["widgets"]
    metrics = sum(len(widget["properties"].get("metrics", [])) for widget in widgets)
    yield f"{dashboard.name} widgets", len(widgets), _WIDGETS
    yield f"{dashboard.name} metrics", metrics, _METRICS


def _length(document: str) -> int:
    """Return the length of a document; that of JSON without blanks, as AWS counts policies."""
    if not document.startswith("{"):
        return len(document)
    return len(json.dumps(json.loads(document), separators=(",", ":")))
