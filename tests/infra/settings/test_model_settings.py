"""What can be said of a model."""

from typing import Any

import pytest

from infra.settings.model_settings import DeploymentSettings, ModelSettings
from penstock.contracts.errors import SettingsError

DIGEST = "sha256:" + "0" * 64


def _deployment(**changes: Any) -> dict[str, Any]:
    return {"truss": "examples/models/echo", "instance": "CPU:1x2", **changes}


def _complaint(kind: type[DeploymentSettings | ModelSettings], values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        kind.checked(values, root="model")
    return str(refused.value)


@pytest.mark.parametrize(
    "source", [{"truss": None}, {"image": f"r@{DIGEST}"}, {"truss": None, "image": None}]
)
def test_a_deployment_has_exactly_one_source(source: dict[str, Any]) -> None:
    complaint = _complaint(DeploymentSettings, _deployment(**source))

    assert complaint == "model: give exactly one of truss and image"


@pytest.mark.parametrize("image", ["r:latest", "r", "r@sha256:12", f"@{DIGEST}"])
def test_an_image_that_can_change_is_refused(image: str) -> None:
    complaint = _complaint(DeploymentSettings, _deployment(truss=None, image=image))

    assert "write repository@sha256:<digest>" in complaint


@pytest.mark.parametrize("name", ["PENSTOCK_MODEL_ID", "1A", "A-B", ""])
def test_variables_of_the_platform_and_impossible_ones_are_refused(name: str) -> None:
    complaint = _complaint(DeploymentSettings, _deployment(environment_variables={name: "x"}))

    assert complaint.startswith(f"model.environment_variables.{name}: ")


def test_a_single_deployment_is_production() -> None:
    model = ModelSettings.checked({"deployments": {"v1": _deployment()}})

    assert model.pointers == {"production": "v1"}


def test_environments_point_where_they_are_told() -> None:
    deployments = {"v1": _deployment(), "v2": _deployment()}
    model = ModelSettings.checked(
        {"deployments": deployments, "environments": {"production": "v2", "canary": "v1"}}
    )

    assert model.pointers == {"production": "v2", "canary": "v1"}


def test_of_several_deployments_one_must_be_named_production() -> None:
    complaint = _complaint(
        ModelSettings, {"deployments": {"v1": _deployment(), "v2": _deployment()}}
    )

    assert complaint == "model: say in environments which deployment production is"


def test_an_environment_without_its_deployment_is_refused() -> None:
    values = {"deployments": {"v1": _deployment()}, "environments": {"staging": "v9"}}

    complaint = _complaint(ModelSettings, values)

    assert complaint == "model: environment staging: there is no deployment v9"
