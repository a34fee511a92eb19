"""Finds Kubernetes objects that name others which are not there, and pods that fit no node."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.infra.recording import Declared

Manifest = Mapping[str, Any]
_OF_KUBERNETES = "kube-system"


class Place(NamedTuple):
    """Where an object is."""

    kind: str
    namespace: str
    name: str


def manifests(declared: Declared) -> list[Manifest]:
    """Return the objects that the program itself declares."""
    resources = [resource for resource in declared if resource.type.startswith("kubernetes:")]
    return [resource.inputs for resource in resources if "kind" in resource.inputs]


def place_of(manifest: Manifest) -> Place:
    """Return where an object is."""
    metadata = manifest["metadata"]
    return Place(manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def missing_objects(declared: Declared) -> set[Place]:
    """Return what is named by objects, charts and EKS, and is not there."""
    there = {place_of(manifest) for manifest in manifests(declared)}
    there |= {Place("Namespace", "", _OF_KUBERNETES), *_accounts_of_charts(declared)}
    return {named for named in _named(declared) if named not in there}


def _named(declared: Declared) -> Iterator[Place]:
    for manifest in manifests(declared):
        if namespace := manifest["metadata"].get("namespace"):
            yield Place("Namespace", "", namespace)
        yield from _named_by(manifest)
    for release in declared.of_type("helm.sh/v3:Release"):
        yield Place("Namespace", "", release.inputs["namespace"])
    for identity in declared.of_type("eks/podIdentityAssociation:PodIdentityAssociation"):
        inputs = identity.inputs
        yield Place("ServiceAccount", inputs["namespace"], inputs["serviceAccount"])


def _named_by(manifest: Manifest) -> Iterator[Place]:
    spec, namespace = manifest.get("spec", {}), manifest["metadata"].get("namespace", "")
    match manifest["kind"]:
        case "Deployment":
            account = spec["template"]["spec"]["serviceAccountName"]
            yield Place("ServiceAccount", namespace, account)
        case "ScaledObject":
            yield Place("Deployment", namespace, spec["scaleTargetRef"]["name"])
            for trigger in spec["triggers"]:
                if credentials := trigger.get("authenticationRef"):
                    yield Place(credentials["kind"], "", credentials["name"])
        case "NodePool":
            node_class = spec["template"]["spec"]["nodeClassRef"]
            yield Place(node_class["kind"], "", node_class["name"])


def _accounts_of_charts(declared: Declared) -> Iterator[Place]:
    """Yield the service accounts that charts were told to make."""
    for release in declared.of_type("helm.sh/v3:Release"):
        given = release.inputs["values"]
        for account in _blocks(given, "serviceAccount"):
            for named in (account, *account.values()):
                if isinstance(named, dict) and isinstance(named.get("name"), str):
                    namespace = release.inputs["namespace"]
                    yield Place("ServiceAccount", namespace, named["name"])


def _blocks(values: Any, key: str) -> Iterator[Any]:
    if isinstance(values, dict):
        for name, part in values.items():
            if name == key:
                yield part
            yield from _blocks(part, key)


def unguarded_pods(declared: Declared) -> set[str]:
    """Return each budget that is of no pods, or of the pods of several Deployments."""
    templates = [_template(manifest) for manifest in _of_kind(declared, "Deployment")]
    return {
        budget["metadata"]["name"]
        for budget in _of_kind(declared, "PodDisruptionBudget")
        if sum(
            budget["spec"]["selector"]["matchLabels"].items() <= t["metadata"]["labels"].items()
            for t in templates
        )
        != 1
    }


def homeless_pods(declared: Declared) -> set[str]:
    """Return each Deployment whose pods no node of the stack takes."""
    nodes = list(_nodes(declared))
    return {
        manifest["metadata"]["name"]
        for manifest in _of_kind(declared, "Deployment")
        if not any(_fits(_template(manifest)["spec"], labels, taints) for labels, taints in nodes)
    }


def _fits(pod: Mapping[str, Any], labels: Mapping[str, str], taints: set[tuple[str, str]]) -> bool:
    tolerated = {(t["key"], t["effect"]) for t in pod.get("tolerations", [])}
    return pod["nodeSelector"].items() <= labels.items() and taints <= tolerated


def _nodes(declared: Declared) -> Iterator[tuple[dict[str, str], set[tuple[str, str]]]]:
    """Yield labels and taints of each kind of node."""
    effects = {"NO_SCHEDULE": "NoSchedule"}
    for group in declared.of_type("eks/nodeGroup:NodeGroup"):
        taints = {(taint["key"], effects[taint["effect"]]) for taint in group.inputs["taints"]}
        yield group.inputs["labels"], taints
    for pool in _of_kind(declared, "NodePool"):
        template = _template(pool)
        taints = {(taint["key"], taint["effect"]) for taint in template["spec"]["taints"]}
        yield template["metadata"]["labels"], taints


def _of_kind(declared: Declared, kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests(declared) if manifest["kind"] == kind]


def _template(manifest: Manifest) -> Mapping[str, Any]:
    template: Mapping[str, Any] = manifest["spec"]["template"]
    return template
