"""The whole stack: what holds for every resource."""

import json
from importlib.metadata import packages_distributions

import pytest

from infra.artifacts.workspace import ROOT
from penstock.contracts.stack.stack_outputs import StackOutputs
from tests.infra.conformance import faults
from tests.infra.manifests import check_manifest
from tests.infra.recording import Declared, Registered

LAYERS = {"pipeline", "compute", "network", "observability"}
PROVIDERS = {"pulumi:providers:aws", "pulumi:providers:kubernetes"}


def test_the_stack_exports_what_clients_look_for(stack: Declared) -> None:
    assert set(stack.returned) == set(StackOutputs.model_fields)
    StackOutputs.model_validate(stack.returned)


def test_every_input_has_the_type_that_its_provider_wants(stack: Declared) -> None:
    checked = [r for r in stack if r.type.startswith(("aws:", "docker-build:"))]

    assert len(checked) > 100
    assert [fault for resource in checked for fault in faults(resource)] == []


@pytest.mark.parametrize("version", ["1.33", "1.35"])
def test_every_kubernetes_object_is_valid(stack: Declared, version: str) -> None:
    objects = [r for r in stack.of_type("") if r.type.startswith("kubernetes:")]
    builtin = [r for r in objects if "keda.sh" not in r.type]

    assert {r.inputs["kind"] for r in builtin} == {
        "ConfigMap",
        "Deployment",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ServiceAccount",
    }
    for resource in builtin:
        check_manifest(resource.inputs, version)


def test_every_resource_belongs_to_a_component(stack: Declared) -> None:
    components = {r.urn for r in stack if r.is_component}
    alone = [
        (r.type, r.name)
        for r in stack
        if not r.is_component and r.parent not in components and r.type not in PROVIDERS
    ]

    assert alone == []


def _components(stack: Declared) -> list[Registered]:
    return [resource for resource in stack if resource.is_component]


def test_every_component_has_a_typed_token(stack: Declared) -> None:
    for component in _components(stack):
        platform, layer, kind = component.type.split(":")
        assert platform == "penstock"
        assert layer in LAYERS, component.type
        assert kind[0].isupper(), component.type


def test_every_component_registers_its_outputs(stack: Declared) -> None:
    silent = {c.type for c in _components(stack) if not stack.outputs_of_components.get(c.urn)}

    assert silent == set()


def test_children_are_named_after_their_component(stack: Declared) -> None:
    names = {component.urn: component.name for component in _components(stack)}
    strangers = [
        (resource.type, resource.name)
        for resource in stack
        if resource.parent in names and not resource.name.startswith(names[resource.parent])
    ]

    assert strangers == []


def test_every_aws_resource_is_tagged_by_the_stacks_own_provider(stack: Declared) -> None:
    provider = stack.named("aws", "providers:aws")
    others = [r.name for r in stack if r.type.startswith("aws:") and provider.urn not in r.provider]

    assert others == []
    tags = json.loads(provider.inputs["defaultTags"])["tags"]  # on the wire it is JSON
    assert tags == {"Project": "penstock", "Environment": "dev", "Owner": "your-team"}


def test_every_kubernetes_object_goes_to_the_stacks_cluster(stack: Declared) -> None:
    provider = stack.named("cluster", "providers:kubernetes")
    objects = [r for r in stack if r.type.startswith("kubernetes:")]

    assert provider.inputs["context"] == "penstock-dev"
    assert [r.name for r in objects if provider.urn not in r.provider] == []


def test_no_file_of_the_program_hides_an_installed_package() -> None:
    own = {path.stem for path in (ROOT / "infra").iterdir()} - {"__init__", "__main__"}

    assert own & set(packages_distributions()) == set()
