"""Nodes: which machines, and that neither their credentials nor their disks lie open."""

from collections.abc import Iterator
from typing import Any

from ..declaring import Settings, resource_policy, texts
from ..reading import UNKNOWN, at, is_on, matches, may_be, parts
from ..resources import Resource
from .plans import NODE_GROUP, NODE_POOL, TEMPLATE, pool_types

_NODE_CLASS = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
_INSTANCE = "aws:ec2/instance:Instance"
_VOLUME = "aws:ebs/volume:Volume"
_ALLOWED = (
    *("c6i.*", "m6i.*", "r6i.*", "m7g.*", "m7i.*", "c7g.*", "c7i.*", "r7g.*", "r7i.*"),
    *("g4dn.*", "g5.*", "g6.*", "g6e.*", "g6f.*", "g7.*", "g7e.*"),
    *("p4d.*", "p4de.*", "p5.*", "p5e.*", "p5en.*", "p6-b200.*", "p6-b300.*"),
)


@resource_policy(
    "node-imdsv2",
    TEMPLATE,
    _INSTANCE,
    NODE_GROUP,
    _NODE_CLASS,
    schema={"metadataForPods": texts()},
)
def credentials_stay_on_the_node(resource: Resource, settings: Settings) -> Iterator[str]:
    """Pods cannot borrow the credentials of their node."""
    if resource.type == NODE_GROUP:
        if resource.at("launchTemplate") is None:
            yield "give it a launch_template: without one the hop limit is 2"
        return
    options = at(_described(resource), "metadataOptions")
    if not may_be(at(options, "httpTokens"), ["required"]):
        yield "set metadata_options.http_tokens to required"
    hops = (1, 2) if matches(resource.name, settings["metadataForPods"]) else (1,)
    if not may_be(at(options, "httpPutResponseHopLimit"), hops):
        yield "set metadata_options.http_put_response_hop_limit to 1, or allow 2 by config"


def _described(resource: Resource) -> Any:  # noqa: ANN401 - a mapping, or not known
    return resource.at("spec") if resource.type == _NODE_CLASS else resource.props


@resource_policy("node-ebs-encrypted", TEMPLATE, _INSTANCE, _VOLUME, _NODE_CLASS)
def disks_are_encrypted(resource: Resource, _: Settings) -> Iterator[str]:
    """Disks are encrypted."""
    if resource.type == _VOLUME:
        disks: list[Any] = [resource.props]
    elif resource.type == _INSTANCE:
        disks = [resource.at("rootBlockDevice") or {}, *parts(resource.at("ebsBlockDevices"))]
    else:
        mappings = at(_described(resource), "blockDeviceMappings")
        if mappings is None or mappings == []:
            yield "map the root volume in block_device_mappings, with ebs.encrypted"
        disks = [at(mapping, "ebs") for mapping in parts(mappings)]
    for disk in disks:
        # A mapping without `ebs` is an instance store, encrypted by its hardware.
        if disk is not None and not is_on(at(disk, "encrypted")):
            yield "set encrypted for every EBS volume"


@resource_policy(
    "instance-allowlist",
    NODE_GROUP,
    NODE_POOL,
    TEMPLATE,
    _INSTANCE,
    schema={"instanceTypes": texts(*_ALLOWED)},
)
def machines_are_chosen(resource: Resource, settings: Settings) -> Iterator[str]:
    """Machines are of kinds that somebody chose."""
    several = pool_types(resource) if resource.type == NODE_POOL else resource.at("instanceTypes")
    for kind in [resource.at("instanceType"), *parts(several)]:
        if kind not in (None, UNKNOWN) and not matches(kind, settings["instanceTypes"]):
            yield f"choose another instance type than {kind}, or allow it by config"
