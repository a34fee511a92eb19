"""What holds for every resource of a platform, in every shape that it can take."""

from collections import Counter
from typing import Any

import pytest

from tests.infra.cluster.platforms import MIRROR, VARIANTS, platform
from tests.infra.conformance import faults
from tests.infra.custom_resources import check_custom_resource, check_with_keda
from tests.infra.manifests import check_manifest
from tests.infra.recording import Declared, Registered

PROVIDERS = {"pulumi:providers:aws", "pulumi:providers:kubernetes"}
CUSTOM = ("keda.sh/", "karpenter.sh/", "karpenter.k8s.aws/")
RELEASE = "kubernetes:helm.sh/v3:Release"


@pytest.fixture(params=VARIANTS, ids=lambda variant: "-".join(map(str, variant.values())) or "dev")
def declared(request: pytest.FixtureRequest) -> Declared:
    return platform(**request.param)


def _objects(declared: Declared) -> list[Registered]:
    return [r for r in declared if r.type.startswith("kubernetes:") and r.type != RELEASE]


def _is_custom(resource: Registered) -> bool:
    return str(resource.inputs["apiVersion"]).startswith(CUSTOM)


def test_every_input_has_the_type_that_aws_wants(declared: Declared) -> None:
    checked = [r for r in declared if r.type.startswith("aws:")]

    assert len(checked) > 60
    assert [fault for resource in checked for fault in faults(resource)] == []


@pytest.mark.parametrize("version", ["1.33", "1.35"])
def test_every_kubernetes_object_is_valid(declared: Declared, version: str) -> None:
    builtin = [r for r in _objects(declared) if not _is_custom(r)]

    assert {r.inputs["kind"] for r in builtin} == {"Namespace", "NetworkPolicy"}
    for resource in builtin:
        check_manifest(resource.inputs, version)


def test_every_custom_resource_is_as_its_schema_says(declared: Declared) -> None:
    custom = [r for r in _objects(declared) if _is_custom(r)]

    assert custom
    for resource in custom:
        check_custom_resource(resource.inputs)


def test_keda_takes_its_credentials() -> None:
    credentials = platform().named("platform-keda-credentials", ":ClusterTriggerAuthentication")

    check_with_keda(credentials.inputs)


def test_names_are_unique(declared: Declared) -> None:
    counts = Counter((r.type, r.name) for r in declared)

    assert [name for name, count in counts.items() if count > 1] == []


def test_names_of_roles_and_groups_fit_aws(declared: Declared) -> None:
    suffix = len("-0a1b2c3")  # Pulumi makes names unique
    limits = {":Role": 64, "eks/nodeGroup:NodeGroup": 63, ":EventRule": 64, ":Queue": 80}

    for kind, limit in limits.items():
        long = [r.name for r in declared.of_type(kind) if len(r.name) + suffix > limit]
        assert long == []


def test_every_resource_belongs_to_a_component_and_is_named_after_it(declared: Declared) -> None:
    names = {r.urn: r.name for r in declared if r.is_component}
    own = [r for r in declared if r.name not in {"platform", "aws"}]

    assert [r.name for r in own if r.parent not in names] == []
    assert [r.name for r in own if not r.name.startswith(names[r.parent])] == []


def test_every_component_registers_its_outputs(declared: Declared) -> None:
    components = [r for r in declared if r.is_component]

    assert {c.type.split(":")[1] for c in components} == {"network", "compute", "pipeline"}
    assert [c.type for c in components if not declared.outputs_of_components.get(c.urn)] == []


def test_every_reference_leads_to_something_declared(declared: Declared) -> None:
    ids = {f"{r.name}-id" for r in declared} | {""}
    dangling = [
        (r.name, text)
        for r in declared
        for text in _texts(r.inputs)
        if text.startswith("platform-") and text.endswith("-id") and text not in ids
    ]

    assert dangling == []


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []


def test_everything_goes_to_the_providers_of_the_stack(declared: Declared) -> None:
    urns = {r.type.rpartition(":")[2]: r.urn for r in declared if r.type in PROVIDERS}
    own = [r for r in declared if not r.is_component and r.type not in PROVIDERS]

    for resource in own:
        package = resource.type.partition(":")[0]
        assert resource.provider.startswith(urns[package]), resource.name


def test_charts_are_pinned_and_taken_back_when_they_do_not_start(declared: Declared) -> None:
    for release in declared.of_type(RELEASE):
        assert release.inputs["version"].count(".") == 2
        assert release.inputs["atomic"] is True


def test_without_a_way_out_every_image_comes_from_the_mirror() -> None:
    for autoscaler in ("cluster-autoscaler", "karpenter"):
        releases = platform(egress="private", autoscaler=autoscaler).of_type(RELEASE)

        assert len(releases) == 4
        for release in releases:
            images = _images(release.inputs["values"])
            assert images
            assert [image for image in images if not image.startswith(MIRROR)] == []


def _images(values: Any) -> list[str]:
    if not isinstance(values, dict):
        return []
    here = [values[key] for key in ("registry", "repository") if key in values][:1]
    return [*here, *(image for part in values.values() for image in _images(part))]
