"""No address of a stack can mean two things."""

from typing import Any

import pytest

from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError

DEPLOYMENT = {"truss": "t", "instance": "CPU:1x2"}
MODEL = {"deployments": {"v1": DEPLOYMENT}}


def _complaint(models: dict[str, Any], **more: Any) -> str:
    block = {
        "environment": "dev",
        "region": "eu-west-1",
        "cluster": {"name": "c", "kubeconfig_context": "c"},
        "models": models,
        **more,
    }
    with pytest.raises(SettingsError) as refused:
        StackSettings.checked(block)
    return str(refused.value)


def test_a_model_named_like_an_environment_of_another_is_refused() -> None:
    complaint = _complaint({"ocr": MODEL, "ocr-production": MODEL})

    assert "models.ocr-production: its address would be that of environment" in complaint


def test_a_model_named_like_a_deployment_of_another_is_refused() -> None:
    complaint = _complaint({"ocr": MODEL, "ocr-v1": MODEL})

    assert "models.ocr-v1: its address would be that of deployment v1 of ocr" in complaint


@pytest.mark.parametrize("name", ["status", "result"])
def test_names_with_a_meaning_of_their_own_are_refused(name: str) -> None:
    assert f"models.{name}: /containers/{name} is not a model" in _complaint({name: MODEL})


def test_two_deployments_with_one_id_are_refused() -> None:
    models = {
        "a": {"deployments": {"b-c": DEPLOYMENT}},
        "a-b": {"deployments": {"c": DEPLOYMENT}},
    }

    complaint = _complaint(models)

    assert "models.a-b.deployments.c: models.a.deployments.b-c has the same id 'a-b-c'" in complaint


def test_a_deployment_id_that_kubernetes_could_not_carry_is_refused() -> None:
    complaint = _complaint({"m" * 40: {"deployments": {"d" * 8: DEPLOYMENT}}})

    assert "is longer than 48 characters" in complaint


def test_a_chain_without_its_model_is_refused() -> None:
    complaint = _complaint({"ocr": MODEL}, chains={"scan": "ocs"})

    assert "chains.scan: there is no model ocs" in complaint


def test_a_chain_named_like_an_environment_of_another_is_refused() -> None:
    complaint = _complaint({"ocr": MODEL}, chains={"scan": "ocr", "scan-production": "ocr"})

    assert "chains.scan-production: its address would be that of environment" in complaint


def test_a_chain_may_be_named_like_a_model() -> None:
    block = {
        "environment": "dev",
        "region": "eu-west-1",
        "cluster": {"name": "c", "kubeconfig_context": "c"},
        "models": {"ocr": MODEL},
        "chains": {"ocr": "ocr"},
    }

    assert StackSettings.checked(block).chains == {"ocr": "ocr"}


def test_two_models_with_one_fingerprint_are_refused() -> None:
    complaint = _complaint({"model-31943": MODEL, "model-100333": MODEL})

    assert (
        "models.model-100333: its fingerprint f4e6d59f is that of models.model-31943 too"
        in complaint
    )
