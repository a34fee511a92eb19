"""The names that AWS and Kubernetes would see, and what they allow."""

import re
from collections import Counter
from collections.abc import Iterator

from tests.infra.graph.lifelike import physical_name
from tests.infra.graph.references.kubernetes import Manifest, manifests
from tests.infra.recording import Declared

_UNIQUE = "-0a1b2c3"
"""What Pulumi adds to a name, so long."""

_WORD = r"[\w-]"
_RULES = {
    "aws:cloudwatch/dashboard:Dashboard": (255, _WORD),
    "aws:cloudwatch/eventRule:EventRule": (64, r"[\w.-]"),
    "aws:cloudwatch/logGroup:LogGroup": (512, r"[\w./#-]"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (255, r"[\x20-\x7e]"),
    "aws:dynamodb/table:Table": (255, r"[\w.-]"),
    "aws:ecr/repository:Repository": (256, r"[a-z0-9._/-]"),
    "aws:eks/cluster:Cluster": (100, _WORD),
    "aws:eks/nodeGroup:NodeGroup": (63, _WORD),
    "aws:iam/instanceProfile:InstanceProfile": (128, r"[\w+=,.@-]"),
    "aws:iam/policy:Policy": (128, r"[\w+=,.@-]"),
    "aws:iam/role:Role": (64, r"[\w+=,.@-]"),
    "aws:iam/rolePolicy:RolePolicy": (128, r"[\w+=,.@-]"),
    "aws:kms/alias:Alias": (256, r"[\w/-]"),
    "aws:lambda/function:Function": (64, _WORD),
    "aws:ec2/launchTemplate:LaunchTemplate": (128, r"[\w().,/-]"),
    "aws:s3/bucket:Bucket": (63, r"[a-z0-9.-]"),
    "aws:scheduler/schedule:Schedule": (64, r"[\w.-]"),
    "aws:secretsmanager/secret:Secret": (512, r"[\w/+=.@-]"),
    "aws:sns/topic:Topic": (256, _WORD),
    "aws:sqs/queue:Queue": (80, _WORD),
    "aws:wafv2/webAcl:WebAcl": (128, _WORD),
}
"""By type: how long its name may be, and of which characters."""

_LABEL_LENGTH = 63
_HPA_PREFIX = "keda-hpa-"


def names_against_rules(declared: Declared) -> list[str]:
    """Return each name that its service would refuse, with the type of its resource."""
    own = [(kind, name) for kind, name in _names(declared) if kind in _RULES]
    return [
        *(f"{kind} {name}" for kind, name in own if not _is_allowed(name, *_RULES[kind])),
        *(f for manifest in manifests(declared) for f in _manifest_faults(manifest)),
    ]


def names_given_twice(declared: Declared) -> list[str]:
    """Return each name that two resources of a type, or two objects of a kind, would share."""
    objects = [
        f"{m['kind']} {m['metadata'].get('namespace', '')}/{m['metadata']['name']}"
        for m in manifests(declared)
    ]
    own = [f"{kind} {name}" for kind, name in _names(declared) if kind in _RULES]
    urns = [resource.urn for resource in declared]
    return [name for name, count in Counter([*objects, *own, *urns]).items() if count > 1]


def _names(declared: Declared) -> Iterator[tuple[str, str]]:
    for resource in declared:
        yield resource.type, physical_name(resource.inputs, f"{resource.name}{_UNIQUE}")


def _is_allowed(name: str, length: int, character: str) -> bool:
    return len(name) <= length and re.fullmatch(f"({character})+", name, re.ASCII) is not None


def _manifest_faults(manifest: Manifest) -> Iterator[str]:
    kind, metadata = manifest["kind"], manifest["metadata"]
    words = [*metadata.get("labels", {}).values()]
    if kind == "Deployment":
        pod = manifest["spec"]["template"]["spec"]
        every = [*pod["containers"], *pod.get("initContainers", [])]
        words += [container["name"] for container in every]
    if kind == "ScaledObject":
        words.append(f"{_HPA_PREFIX}{metadata['name']}")
    # KEDA, Karpenter and services make labels of names; 63 characters fit in all of them.
    for word in [metadata["name"], *words]:
        if not _is_allowed(word, _LABEL_LENGTH, r"[A-Za-z0-9._-]"):
            yield f"{kind} {metadata['name']}: {word}"
