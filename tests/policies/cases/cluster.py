from typing import Any

from tests.policies.cases.case import fails, passes, resource
from tests.policies.servicer import UNKNOWN, Given

LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
SECRETS = {"provider": {"keyArn": "arn:aws:kms:::key"}, "resources": ["secrets"]}


def cluster(**props: Any) -> Given:
    return resource("eks/cluster", "main", **props)


def reached(**config: Any) -> Given:
    return cluster(vpcConfig={"endpointPrivateAccess": True, **config})


def version(number: str, support: str | None = "STANDARD") -> Given:
    return cluster(version=number, upgradePolicy={"supportType": support})


def template(**props: Any) -> Given:
    return resource("ec2/launchTemplate", "gpu-template", id="lt-1", **props)


def metadata(tokens: str, hops: Any) -> Given:
    return template(metadataOptions={"httpTokens": tokens, "httpPutResponseHopLimit": hops})


def disks(*encrypted: Any) -> Given:
    mappings = [{"deviceName": "/dev/xvda", "ebs": {"encrypted": e}} for e in encrypted]
    return template(blockDeviceMappings=mappings)


TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
NODE_TEMPLATE = "k8s.io/cluster-autoscaler/node-template"
TAGS = (
    "k8s.io/cluster-autoscaler/enabled",
    f"{NODE_TEMPLATE}/label/penstock.dev/gpu",
    f"{NODE_TEMPLATE}/taint/nvidia.com/gpu",
    f"{NODE_TEMPLATE}/resources/nvidia.com/gpu",
)


def nodes(*types: str, most: Any = 4, **props: Any) -> Given:
    given = {
        "instanceTypes": list(types),
        "launchTemplate": {"id": "lt-1"},
        "scalingConfig": {"minSize": 0, "maxSize": most},
        "labels": {"penstock.dev/gpu": "L4"},
        "taints": [TAINT],
        "resources": [{"autoscalingGroups": [{"name": "asg-1"}]}],
    }
    return resource("eks/nodeGroup", "gpu-l4", **{**given, **props})


def node_class(**spec: Any) -> Given:
    return resource("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "gpu-class", spec=spec)


def pool(
    *types: str,
    limits: Any = None,
    taints: Any = None,
    labels: Any = None,
    requirements: list[Any] | None = None,
) -> Given:
    named = [{"key": "node.kubernetes.io/instance-type", "operator": "In", "values": list(types)}]
    effect = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    template = {
        "metadata": {"labels": {"penstock.dev/gpu": "L4"} if labels is None else labels},
        "spec": {
            "requirements": named if requirements is None else requirements,
            "taints": [effect] if taints is None else taints,
        },
    }
    spec = {"template": template, "limits": {"cpu": "16"} if limits is None else limits}
    return resource("kubernetes:karpenter.sh/v1:NodePool", "l4-pool", spec=spec)


def tags(*keys: str, group: str = "asg-1") -> list[Given]:
    origins = {"autoscalingGroupName": frozenset({nodes().urn})}
    return [
        resource(
            "autoscaling/tag", f"tag-{i}", autoscalingGroupName=group, tag={"key": k, "value": "v"}
        )._replace(origins=origins)
        for i, k in enumerate(keys)
    ]


CASES = [
    passes("eks-endpoint", "named addresses", reached(publicAccessCidrs=["203.0.113.0/24"])),
    passes("eks-endpoint", "private", reached(endpointPublicAccess=False)),
    passes("eks-endpoint", "addresses that nobody knows yet", reached(publicAccessCidrs=UNKNOWN)),
    fails("eks-endpoint", "the world by default", reached(), says="main: name who may reach"),
    fails(
        "eks-endpoint",
        "the world",
        reached(publicAccessCidrs=[UNKNOWN, "0.0.0.0/0"]),
        says="never 0.0.0.0/0",
    ),
    fails(
        "eks-endpoint",
        "not from within",
        cluster(vpcConfig={"publicAccessCidrs": ["203.0.113.0/24"]}),
        says="set vpc_config.endpoint_private_access",
    ),
    passes("eks-secrets-kms", "encrypted", cluster(encryptionConfig=SECRETS)),
    passes(
        "eks-secrets-kms",
        "by a key that is not there yet",
        cluster(encryptionConfig={**SECRETS, "provider": {"keyArn": UNKNOWN}}),
    ),
    fails("eks-secrets-kms", "plain", cluster(), says="main: set encryption_config"),
    fails(
        "eks-secrets-kms",
        "something else",
        cluster(encryptionConfig={"provider": {"keyArn": UNKNOWN}, "resources": []}),
        says="set encryption_config",
    ),
    passes("eks-logging", "all five", cluster(enabledClusterLogTypes=LOGS)),
    fails(
        "eks-logging", "none", cluster(), says="add api, audit, authenticator, controllerManager"
    ),
    fails(
        "eks-logging", "one missing", cluster(enabledClusterLogTypes=LOGS[1:]), says="add api to"
    ),
    passes("eks-auth-api", "entries", cluster(accessConfig={"authenticationMode": "API"})),
    fails(
        "eks-auth-api",
        "the config map, too",
        cluster(accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"}),
        says="set access_config.authentication_mode to API",
    ),
    fails("eks-auth-api", "by default", cluster(), says="set access_config"),
    passes("eks-version", "current", version("1.35")),
    passes("eks-version", "a newer one by config", version("1.37"), config={"newest": "1.37"}),
    passes("eks-version", "an older one by config", version("1.32"), config={"oldest": "1.32"}),
    fails("eks-version", "old", version("1.29"), says="set version to 1.33..1.36, not 1.29"),
    fails("eks-version", "untried", version("1.40"), says="not 1.40"),
    fails(
        "eks-version", "none said", cluster(upgradePolicy={"supportType": "STANDARD"}), says="1.33"
    ),
    fails("eks-version", "extended support", version("1.35", None), says="support_type: STANDARD"),
    passes("node-imdsv2", "closed", metadata("required", 1)),
    passes(
        "node-imdsv2",
        "pods may ask, by config",
        metadata("required", 2),
        config={"metadataForPods": ["gpu-*"]},
    ),
    passes(
        "node-imdsv2",
        "closed by Karpenter",
        node_class(metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 1}),
    ),
    fails("node-imdsv2", "open by Karpenter", node_class(), says="gpu-class: set metadata_options"),
    passes("node-imdsv2", "a group of a template", nodes("g6.xlarge")),
    fails("node-imdsv2", "version 1", metadata("optional", 1), says="http_tokens to required"),
    fails("node-imdsv2", "two hops", metadata("required", 2), says="hop_limit to 1"),
    fails(
        "node-imdsv2",
        "three hops, by config",
        metadata("required", 3),
        config={"metadataForPods": ["gpu-*"]},
        says="hop_limit to 1",
    ),
    fails("node-imdsv2", "nothing said", template(), says="gpu-template: set metadata_options"),
    fails(
        "node-imdsv2",
        "a group without a template",
        nodes("g6.xlarge", launchTemplate=None),
        says="gpu-l4: give it a launch_template",
    ),
    passes("node-ebs-encrypted", "encrypted", disks("true", "true")),
    passes(
        "node-ebs-encrypted",
        "an instance store",
        template(blockDeviceMappings=[{"virtualName": "ephemeral0"}]),
    ),
    passes(
        "node-ebs-encrypted",
        "encrypted by Karpenter",
        node_class(blockDeviceMappings=[{"ebs": {"encrypted": True}}]),
    ),
    fails(
        "node-ebs-encrypted",
        "open by Karpenter",
        node_class(blockDeviceMappings=[{"ebs": {"encrypted": False}}]),
        says="gpu-class: set encrypted",
    ),
    fails("node-ebs-encrypted", "one is not", disks("true", "false"), says="set encrypted"),
    fails("node-ebs-encrypted", "nothing said", disks(None), says="set encrypted for every EBS"),
    fails("node-ebs-encrypted", "the image's own disk", template(), says="map the root volume"),
    fails(
        "node-ebs-encrypted",
        "a volume",
        resource("ebs/volume", "scratch", size=10),
        says="scratch: set encrypted",
    ),
    passes("gpu-nodegroup", "kept apart", nodes("g6.xlarge"), *tags(*TAGS)),
    passes("gpu-nodegroup", "no GPU", nodes("m7g.large", labels={}, taints=[])),
    passes("gpu-nodegroup", "a pool of Karpenter", pool("g6.xlarge")),
    passes("gpu-nodegroup", "a pool without GPUs", pool("m6i.xlarge", labels={}, taints=[])),
    fails("gpu-nodegroup", "a pool without taint", pool("g6.xlarge", taints=[]), says="the taint"),
    fails("gpu-nodegroup", "a pool without label", pool("g6.xlarge", labels={}), says="the label"),
    fails(
        "gpu-nodegroup",
        "a pool of any GPU",
        pool(
            requirements=[
                {"key": "karpenter.k8s.aws/instance-gpu-name", "operator": "In", "values": ["l4"]}
            ]
        ),
        says="l4-pool: let it have 16 nodes at most",
    ),
    fails(
        "gpu-nodegroup",
        "a pool without limit",
        pool("g6.xlarge", limits={}),
        says="let it have 16 nodes at most",
    ),
    fails(
        "gpu-nodegroup",
        "a pool of too many",
        pool("g6.xlarge", limits={"cpu": "1000", "nvidia.com/gpu": "17"}),
        says="let it have 16 nodes at most",
    ),
    fails(
        "gpu-nodegroup",
        "no taint",
        nodes("g6.xlarge", taints=[]),
        *tags(*TAGS),
        says="add the taint nvidia.com/gpu",
    ),
    fails(
        "gpu-nodegroup",
        "no label",
        nodes("g6.xlarge", labels={"a": "b"}),
        *tags(*TAGS),
        says="add the label penstock.dev/gpu",
    ),
    fails(
        "gpu-nodegroup",
        "never at zero",
        nodes("g6.xlarge", scalingConfig={"minSize": 1, "maxSize": 4}),
        *tags(*TAGS),
        says="set scaling_config.min_size to 0",
    ),
    fails(
        "gpu-nodegroup",
        "too many by config",
        nodes("g6.xlarge"),
        *tags(*TAGS),
        says="let it have 2 nodes at most",
        config={"maxGpuNodes": 2},
    ),
    fails(
        "gpu-nodegroup",
        "cluster-autoscaler would not see it",
        nodes("g6.xlarge"),
        *tags(*TAGS[1:]),
        says="add autoscaling Tags to its group: k8s.io/cluster-autoscaler/enabled",
    ),
    fails(
        "gpu-nodegroup",
        "not even before it is there",
        nodes("g6.xlarge", resources=UNKNOWN),
        *tags(TAGS[0], group=UNKNOWN),
        says=f"to its group: {TAGS[1]}, {TAGS[2]}, {TAGS[3]}",
    ),
    fails(
        "gpu-nodegroup",
        "a GPU by its image",
        nodes(amiType="AL2023_x86_64_NVIDIA", taints=[]),
        *tags(*TAGS),
        says="add the taint",
    ),
    passes("cost-guard", "four small ones", nodes("g6.xlarge")),
    passes("cost-guard", "more by config", nodes("p5.48xlarge"), config={"maxHourlyUsd": 300}),
    passes(
        "cost-guard",
        "a price by config",
        nodes("x9.huge"),
        config={"prices": {"x9.huge": 2.5}},
    ),
    passes("cost-guard", "a pool of four", pool("g6.xlarge")),
    fails(
        "cost-guard",
        "a pool, dear",
        pool("g6.xlarge", "p5.48xlarge", limits={"cpu": "768", "nvidia.com/gpu": "32"}),
        says="l4-pool: let it have fewer nodes, or raise cost-guard.maxHourlyUsd: at its most it"
        " costs 220.16 USD an hour",
    ),
    fails(
        "cost-guard",
        "a pool without limit",
        pool("g6.xlarge", limits={}),
        says="l4-pool: limit its nodes",
    ),
    fails(
        "cost-guard", "a pool of anything", pool(requirements=[]), says="name its instance types"
    ),
    fails(
        "cost-guard",
        "dear",
        nodes("g6.xlarge", "p5.48xlarge"),
        says="gpu-l4: let it have fewer nodes, or raise cost-guard.maxHourlyUsd: at its most it"
        " costs 220.16 USD an hour, and all nodes 220.16, above 100.00",
    ),
    fails(
        "cost-guard",
        "the template's type",
        nodes(),
        template(instanceType="p4d.24xlarge"),
        says="costs 87.83",
        config={"maxHourlyUsd": 50},
    ),
    fails(
        "cost-guard",
        "of a price that nobody knows",
        nodes("p6-b300.48xlarge"),
        says="give the price of p6-b300.48xlarge by config",
    ),
    fails(
        "cost-guard",
        "dear beside a group that nobody knows",
        nodes("g6.xlarge", scalingConfig=UNKNOWN)._replace(name="later"),
        nodes("p5.48xlarge"),
        says="above 100.00",
    ),
    passes("instance-allowlist", "chosen", nodes("g6.xlarge"), template(instanceType="m7g.large")),
    passes("instance-allowlist", "by config", nodes("x9.huge"), config={"instanceTypes": ["x9.*"]}),
    fails("instance-allowlist", "not chosen, in a pool", pool("p3.2xlarge"), says="than p3.2xl"),
    fails("instance-allowlist", "not chosen", nodes("x1.32xlarge"), says="type than x1.32xlarge"),
    fails(
        "instance-allowlist",
        "not chosen, in a template",
        template(instanceType="p3.2xlarge"),
        says="gpu-template: choose another instance type than p3.2xlarge",
    ),
]
