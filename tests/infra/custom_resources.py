"""Schemas of the custom resources that we declare: of our own always, KEDA's where at hand.

They are stricter than a cluster, which drops keys that it does not know without a word.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

CRDS = Path(__file__).parents[3] / "shared/data/keda-crds"
_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "string", "pattern": r"^[1-9]\d*$"}


def _exactly(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _some_of(**properties: Any) -> dict[str, Any]:
    return {**_exactly(**properties), "required": []}


def _list_of(item: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": item}


_DISK = _exactly(
    deviceName=_TEXT,
    rootVolume={"const": True},
    ebs=_exactly(
        volumeType={"const": "gp3"},
        volumeSize={"type": "string", "pattern": r"^\d+Gi$"},
        iops={"type": "integer", "minimum": 3_000},
        throughput={"type": "integer", "minimum": 125},
        encrypted={"const": True},
        deleteOnTermination={"const": True},
    ),
)
_NODE_CLASS = _exactly(
    amiSelectorTerms=_list_of(_exactly(alias={"type": "string", "pattern": r"^al2023@v\d{8}$"})),
    instanceProfile=_TEXT,
    subnetSelectorTerms=_list_of(_exactly(id=_TEXT)),
    securityGroupSelectorTerms=_list_of(_exactly(id=_TEXT)),
    blockDeviceMappings=_list_of(_DISK),
    metadataOptions=_exactly(
        httpEndpoint={"const": "enabled"},
        httpTokens={"const": "required"},
        httpPutResponseHopLimit={"enum": [1, 2]},
    ),
    userData=_TEXT,
    tags={"type": "object", "additionalProperties": _TEXT},
)
_NODE_CLASS["properties"]["instanceStorePolicy"] = {"const": "RAID0"}
_NODE_POOL = _exactly(
    template=_exactly(
        metadata=_exactly(labels={"type": "object", "additionalProperties": _TEXT}),
        spec=_exactly(
            nodeClassRef=_exactly(
                group={"const": "karpenter.k8s.aws"}, kind={"const": "EC2NodeClass"}, name=_TEXT
            ),
            requirements=_list_of(
                _exactly(key=_TEXT, operator={"enum": ["In"]}, values=_list_of(_TEXT))
            ),
            taints=_list_of(_exactly(key=_TEXT, value=_TEXT, effect={"const": "NoSchedule"})),
            expireAfter={"const": "Never"},
        ),
    ),
    disruption=_exactly(
        consolidationPolicy={"enum": ["WhenEmpty", "WhenEmptyOrUnderutilized"]},
        consolidateAfter={"type": "string", "pattern": r"^(\d+[smh])+$"},
    ),
    limits={**_some_of(cpu=_COUNT, **{"nvidia.com/gpu": _COUNT}), "required": ["cpu"]},
    weight={"type": "integer", "minimum": 1, "maximum": 100},
)
_SECONDS = {"type": "integer", "minimum": 0, "maximum": 3_600}
_SCALING_POLICIES = _list_of(
    _exactly(
        type={"enum": ["Percent", "Pods"]},
        value={"type": "integer", "minimum": 1},
        periodSeconds={"type": "integer", "minimum": 1, "maximum": 1_800},
    )
)
_DIRECTION = {"selectPolicy": {"const": "Max"}, "policies": _SCALING_POLICIES}
_MODIFIERS = _exactly(
    formula=_TEXT,
    target=_COUNT,  # with another number KEDA drops the fallback without a word
    activationTarget={"type": "string", "pattern": r"^\d+$"},
    metricType={"const": "AverageValue"},
)
_QUEUE = _exactly(
    type={"const": "aws-sqs-queue"},
    name=_TEXT,
    metadata=_exactly(
        # KEDA reads account and name from its path, and takes no other.
        queueURL={"type": "string", "pattern": r"^https://[^/]+/\d{12}/[\w-]+$"},
        queueLength=_COUNT,
        awsRegion={"type": "string", "pattern": r"^[a-z]+(-[a-z]+)+-\d$"},
        scaleOnInFlight={"const": "true"},
    ),
    authenticationRef=_exactly(name=_TEXT, kind={"const": "ClusterTriggerAuthentication"}),
)
_SCHEDULE = _exactly(
    type={"const": "cron"},
    name=_TEXT,
    metadata=_exactly(timezone=_TEXT, start=_TEXT, end=_TEXT, desiredReplicas=_COUNT),
)
_SCALED_OBJECT = _exactly(
    scaleTargetRef=_exactly(name=_TEXT),
    pollingInterval={"type": "integer", "minimum": 1},
    cooldownPeriod=_SECONDS,
    initialCooldownPeriod=_SECONDS,
    minReplicaCount={"type": "integer", "minimum": 0},
    maxReplicaCount={"type": "integer", "minimum": 1},
    fallback=_exactly(
        failureThreshold={"type": "integer", "minimum": 1},
        replicas={"type": "integer", "minimum": 1},
        behavior={"const": "currentReplicas"},
    ),
    advanced=_exactly(
        restoreToOriginalReplicaCount={"const": False},
        scalingModifiers=_MODIFIERS,
        horizontalPodAutoscalerConfig=_exactly(
            behavior=_exactly(
                scaleUp=_exactly(
                    stabilizationWindowSeconds=_SECONDS, tolerance={"const": 0}, **_DIRECTION
                ),
                scaleDown=_exactly(stabilizationWindowSeconds=_SECONDS, **_DIRECTION),
            )
        ),
    ),
    triggers={"type": "array", "minItems": 3, "items": {"oneOf": [_QUEUE, _SCHEDULE]}},
)
_NAME = {"type": "string", "pattern": r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"}
_OWN = {
    "ClusterTriggerAuthentication": (
        "keda.sh/v1alpha1",
        _exactly(podIdentity=_exactly(provider={"const": "aws"})),
    ),
    "EC2NodeClass": ("karpenter.k8s.aws/v1", _NODE_CLASS),
    "NodePool": ("karpenter.sh/v1", _NODE_POOL),
    "ScaledObject": ("keda.sh/v1alpha1", _SCALED_OBJECT),
}


def check_custom_resource(manifest: Mapping[str, Any]) -> None:
    """Raise if `manifest` is not as our own schema of its kind says."""
    version, spec = _OWN[manifest["kind"]]
    metadata = _some_of(
        name=_NAME, namespace=_NAME, labels={"type": "object", "additionalProperties": _TEXT}
    )
    whole = _exactly(
        apiVersion={"const": version},
        kind={"const": manifest["kind"]},
        metadata={**metadata, "required": ["name"]},
        spec=spec,
    )
    jsonschema.validate(manifest, whole)


def check_with_keda(manifest: Mapping[str, Any]) -> None:
    """Raise if KEDA would refuse `manifest`; skip where its definitions are not at hand."""
    if not CRDS.is_dir():
        pytest.skip(f"KEDA's definitions are not at {CRDS}")
    jsonschema.validate({"spec": manifest["spec"]}, _keda_schema(manifest["kind"].lower()))


@cache
def _keda_schema(kind: str) -> Any:
    text = (CRDS / f"keda.sh_{kind}s.yaml").read_text()
    (version,) = yaml.safe_load(text)["spec"]["versions"]
    return _closed(version["schema"]["openAPIV3Schema"])


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed
