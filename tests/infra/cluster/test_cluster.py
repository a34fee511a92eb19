"""The cluster: closed by default, and put together in the order in which it can start."""

import base64
import json
from typing import Any

import pytest
import yaml

from tests.infra.cluster.platforms import ADMIN, platform
from tests.infra.recording import ACCOUNT, REGION, Declared, Registered

CLUSTER = "platform-cluster"


def _cluster(declared: Declared) -> Registered:
    (cluster,) = declared.of_type("eks/cluster:Cluster")
    return cluster


def _follows(declared: Declared, later: Registered) -> set[str]:
    """Return the names of all that must be there before `later`."""
    by_urn = {resource.urn: resource for resource in declared}
    found: dict[str, str] = {}
    waiting = [later.urn]
    while waiting:
        resource = by_urn[waiting.pop()]
        provider = resource.provider.rpartition("::")[0]
        for urn in {*resource.depends_on, *([provider] if provider in by_urn else [])} - set(found):
            found[urn] = by_urn[urn].name
            waiting.append(urn)
    return set(found.values())


def test_only_access_entries_open_the_cluster() -> None:
    cluster = _cluster(platform())

    assert cluster.inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    (entry,) = platform().of_type("eks/accessEntry:AccessEntry")
    (grant,) = platform().of_type(":AccessPolicyAssociation")
    assert entry.inputs["principalArn"] == grant.inputs["principalArn"] == ADMIN
    assert grant.inputs["policyArn"].endswith("AmazonEKSClusterAdminPolicy")


def test_the_api_is_reached_from_named_networks_only() -> None:
    assert _cluster(platform()).inputs["vpcConfig"] == {
        "subnetIds": [f"platform-network-private-{zone}-id" for zone in "abc"],
        "endpointPrivateAccess": True,
        "endpointPublicAccess": True,
        "publicAccessCidrs": ["198.51.100.0/24"],
    }


def test_secrets_are_encrypted_with_a_key_that_turns() -> None:
    declared = platform(egress="nat-per-az", kept=True)
    (key,) = declared.of_type("kms/key:Key")

    assert _cluster(declared).inputs["encryptionConfig"] == {
        "provider": {"keyArn": key.outputs["arn"]},
        "resources": ["secrets"],
    }
    assert key.inputs["enableKeyRotation"] is True
    assert key.inputs["deletionWindowInDays"] == 30


@pytest.mark.parametrize("kept", [True, False])
def test_a_kept_stack_loses_neither_cluster_nor_key_by_accident(*, kept: bool) -> None:
    declared = platform(egress="nat-per-az" if kept else "nat-single", kept=kept)
    (key,) = declared.of_type("kms/key:Key")

    assert _cluster(declared).inputs["deletionProtection"] is kept
    assert key.is_protected is kept


def test_everything_is_logged_and_kept_as_long_as_other_logs() -> None:
    declared = platform()
    cluster = _cluster(declared)
    log = declared.named(f"{CLUSTER}-api-log", ":LogGroup")

    assert set(cluster.inputs["enabledClusterLogTypes"]) == {
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    }
    assert log.inputs["name"] == "/aws/eks/main/cluster"
    assert log.inputs["retentionInDays"] == 30
    assert log.urn in cluster.depends_on  # else EKS makes it, and keeps lines for ever


def test_a_version_out_of_support_is_not_paid_for_sixfold() -> None:
    inputs = _cluster(platform()).inputs

    assert inputs["version"] == "1.35"
    assert inputs["upgradePolicy"] == {"supportType": "STANDARD"}
    assert inputs["bootstrapSelfManagedAddons"] is False


@pytest.mark.parametrize("autoscaler", ["cluster-autoscaler", "karpenter"])
def test_pods_take_roles_for_this_account_only(autoscaler: str) -> None:
    roles = platform(autoscaler=autoscaler).of_type("iam/role:Role")
    statements = [s for role in roles for s in role.policy("assumeRolePolicy")]
    pods = [s for s in statements if s["Principal"] == {"Service": "pods.eks.amazonaws.com"}]

    assert len(pods) == 3
    for statement in pods:
        assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


@pytest.mark.parametrize("autoscaler", ["cluster-autoscaler", "karpenter"])
def test_no_kubernetes_object_comes_before_the_access_entries(autoscaler: str) -> None:
    declared = platform(autoscaler=autoscaler)
    objects = [r for r in declared if r.type.startswith("kubernetes:")]

    assert objects
    for resource in objects:
        assert f"{CLUSTER}-access-deployer-everything" in _follows(declared, resource)


def test_pulumi_reaches_the_cluster_that_it_made() -> None:
    declared = platform()
    (provider,) = declared.of_type("providers:kubernetes")
    config = json.loads(provider.inputs["kubeconfig"])
    outputs = _cluster(declared).outputs

    (cluster,), (user,) = config["clusters"], config["users"]
    assert cluster["cluster"] == {
        "server": outputs["endpoint"],
        "certificate-authority-data": outputs["certificateAuthority"]["data"],
    }
    assert [user["user"]["exec"]["command"], *user["user"]["exec"]["args"]] == [
        *("aws", "eks", "get-token", "--cluster-name", "main", "--region", REGION)
    ]
    assert config["current-context"] == config["contexts"][0]["name"]
    assert provider.inputs["namespace"] == "penstock"


@pytest.mark.parametrize("kind", ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"])
def test_a_node_comes_after_what_makes_it_ready(kind: str) -> None:
    declared = platform()

    for group in declared.of_type("eks/nodeGroup:NodeGroup"):
        assert f"{CLUSTER}-for-nodes-{kind}" in _follows(declared, group), group.name


def test_a_node_comes_after_its_way_out_and_its_permissions() -> None:
    declared = platform()
    routes = {f"platform-network-egress-private-{zone}-route" for zone in "abc"}
    grants = {f"{CLUSTER}-node-may-join", f"{CLUSTER}-node-may-pull"}

    for group in declared.of_type("eks/nodeGroup:NodeGroup"):
        assert routes | grants <= _follows(declared, group), group.name


@pytest.mark.parametrize("kind", ["coredns", "metrics-server", "eks-node-monitoring-agent"])
def test_what_runs_on_nodes_comes_after_the_first_nodes(kind: str) -> None:
    declared = platform()
    add_on = declared.named(f"{CLUSTER}-for-pods-{kind}", "eks/addon:Addon")

    assert f"{CLUSTER}-system-nodes" in _follows(declared, add_on)


def test_the_pods_network_knows_policies_and_has_a_role_of_its_own() -> None:
    declared = platform()
    add_on = declared.named(f"{CLUSTER}-for-nodes-vpc-cni", "eks/addon:Addon").inputs
    role = declared.named(f"{CLUSTER}-for-nodes-pod-network", ":Role")

    assert json.loads(add_on["configurationValues"]) == {
        "enableNetworkPolicy": "true",
        "env": {"ENABLE_PREFIX_DELEGATION": "true"},
    }
    assert add_on["podIdentityAssociations"] == [
        {"roleArn": role.outputs["arn"], "serviceAccount": "aws-node"}
    ]
    attached = {
        r.inputs["policyArn"].rpartition("/")[2]
        for r in declared.of_type(":RolePolicyAttachment")
        if r.name.startswith(f"{CLUSTER}-node-")
    }
    assert attached == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}


def test_the_first_nodes_are_two_small_ones_that_stay() -> None:
    nodes = platform().named(f"{CLUSTER}-system-nodes", ":NodeGroup").inputs

    assert nodes["amiType"] == "AL2023_ARM_64_STANDARD"
    assert nodes["instanceTypes"] == ["m7g.large"]
    assert nodes["capacityType"] == "ON_DEMAND"
    assert nodes["scalingConfig"] == {"minSize": 2, "desiredSize": 2, "maxSize": 3}
    assert nodes["taints"] == []


@pytest.mark.parametrize("egress", ["nat-single", "private"])
def test_no_node_shows_its_credentials_or_keeps_plain_data(egress: str) -> None:
    templates = platform(egress=egress).of_type(":LaunchTemplate")

    assert len(templates) == 7
    for template in templates:
        options = template.inputs["metadataOptions"]
        watches = template.name == "platform-fleet-l4-g6-xlarge-spot-template"
        assert options == {
            "httpTokens": "required",
            "httpEndpoint": "enabled",
            # Its worker asks the metadata for the notice of EC2, from inside its pod.
            "httpPutResponseHopLimit": 2 if watches else 1,
        }
        for tagged in template.inputs["tagSpecifications"]:
            assert tagged["tags"]["Project"] == "penstock"  # to find them on the bill
        (disk,) = template.inputs["blockDeviceMappings"]
        assert disk["ebs"]["encrypted"] == "true"
        assert disk["ebs"]["volumeType"] == "gp3"


def _node_config(declared: Declared, name: str) -> dict[str, Any]:
    template = declared.named(name, ":LaunchTemplate")
    text = base64.b64decode(template.inputs["userData"]).decode()
    head, _, rest = text.partition("Content-Type: application/node.eks.aws\n\n")
    assert 'multipart/mixed; boundary="' in head
    boundary = head.split('boundary="')[1].split('"')[0]
    document, _, tail = rest.partition(f"--{boundary}--")
    assert tail.strip() == ""
    config: dict[str, Any] = yaml.safe_load(document)
    return config


def test_nodes_pull_images_in_parallel_onto_their_local_disks() -> None:
    declared = platform()
    header = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig"}
    fast = {"featureGates": {"FastImagePull": True}}

    with_disks = _node_config(declared, "platform-fleet-l4-g6-xlarge-spot-template")
    without = _node_config(declared, "platform-fleet-cpu-m6i-xlarge-spot-template")
    raid = {"instance": {"localStorage": {"strategy": "RAID0"}}}
    assert with_disks == {**header, "spec": {**fast, **raid}}
    assert without == {**header, "spec": fast}
