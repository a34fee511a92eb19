"""What can be said of a model."""

from typing import Any

import pytest

from infra.settings.model_settings import DeploymentSettings, ModelSettings
from penstock.contracts.errors import SettingsError

GIB = 1024**3


def _deployment(**changes: Any) -> dict[str, Any]:
    return {"truss": "examples/models/echo", "instance": "CPU:1x2", **changes}


def _complaint(kind: type[DeploymentSettings | ModelSettings], values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        kind.checked(values, root="model")
    return str(refused.value)


def test_by_default_there_is_disk_for_all_that_may_run_and_one_more() -> None:
    given = _deployment(
        max_input_bytes=GIB, max_result_bytes=GIB // 2, autoscaling={"concurrency_target": 4}
    )

    assert DeploymentSettings.checked(given).spool_limit_gib == 8


def test_where_requests_wait_for_their_batch_there_is_disk_for_twice_as_many() -> None:
    given = _deployment(
        max_input_bytes=GIB,
        max_result_bytes=GIB,
        autoscaling={"concurrency_target": 4},
        batching={"max_batch_size": 4},
    )

    assert DeploymentSettings.checked(given).spool_limit_gib == 18


def test_disk_that_holds_not_even_one_request_is_refused() -> None:
    given = _deployment(max_input_bytes=GIB, max_result_bytes=GIB + 1)

    assert DeploymentSettings.checked({**given, "spool_gib": 3}).spool_limit_gib == 3
    complaint = _complaint(DeploymentSettings, {**given, "spool_gib": 2})
    assert complaint.startswith("model: spool_gib: one request may need 3")


@pytest.mark.parametrize(
    "role",
    [
        "archive",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/*",
        "arn:aws:iam::1234:role/archive",
        "arn:aws:iam::123456789012:user/archive",
        "arn:aws:sts::123456789012:assumed-role/archive/me",
    ],
)
def test_a_models_role_is_one_role_by_its_arn(role: str) -> None:
    complaint = _complaint(DeploymentSettings, _deployment(model_role=role))
    assert complaint.startswith("model.model_role: ")

    for good in ("role/archive", "role/teams/vision/ocr_archive+1"):
        arn = f"arn:aws:iam::123456789012:{good}"
        assert DeploymentSettings.checked(_deployment(model_role=arn)).model_role == arn


def test_a_model_server_leaves_the_ports_to_the_credentials_of_its_role() -> None:
    given = {"image": "r@sha256:" + "0" * 64, "preset": "http", "port": 9_092, "instance": "L4"}
    DeploymentSettings.checked(given)

    role = "arn:aws:iam::123456789012:role/archive"
    complaint = _complaint(DeploymentSettings, {**given, "model_role": role})
    assert "9092 is where model_role's credentials are served" in complaint


def test_an_environment_named_like_another_deployment_is_refused() -> None:
    deployments = {"v1": _deployment(), "v2": _deployment()}
    environments = {"production": "v1", "v2": "v1"}

    complaint = _complaint(
        ModelSettings, {"deployments": deployments, "environments": environments}
    )

    assert complaint.startswith("model: environment v2: a deployment of this name exists")


def test_a_single_deployment_is_production() -> None:
    model = ModelSettings.checked({"deployments": {"v1": _deployment()}})

    assert model.pointers == {"production": "v1"}


def test_environments_point_where_they_are_told() -> None:
    deployments = {"v1": _deployment(), "v2": _deployment()}
    model = ModelSettings.checked(
        {"deployments": deployments, "environments": {"production": "v2", "canary": "v1"}}
    )

    assert model.pointers == {"production": "v2", "canary": "v1"}


@pytest.mark.parametrize(
    ("environments", "told"),
    [
        ({}, {"v1": "production"}),
        ({"production": "v1", "beta": "v2"}, {"v1": "production", "v2": "beta"}),
        ({"alpha": "v2", "production": "v2", "beta": "v1"}, {"v1": "beta", "v2": "production"}),
        ({"production": "v1", "staging": "v2", "beta": "v2"}, {"v1": "production", "v2": "beta"}),
        ({"production": "v1"}, {"v1": "production", "v2": None}),
    ],
)
def test_a_model_is_told_production_before_other_environments_and_these_by_name(
    environments: dict[str, str], told: dict[str, str | None]
) -> None:
    deployments = {name: {"truss": "t", "instance": "CPU:1x2"} for name in told}
    model = ModelSettings.checked({"deployments": deployments, "environments": environments})

    assert {name: model.environment_of(name) for name in told} == told


def test_of_several_deployments_one_must_be_named_production() -> None:
    complaint = _complaint(
        ModelSettings, {"deployments": {"v1": _deployment(), "v2": _deployment()}}
    )

    assert complaint == "model: say in environments which deployment production is"


def test_an_environment_without_its_deployment_is_refused() -> None:
    values = {"deployments": {"v1": _deployment()}, "environments": {"staging": "v9"}}

    complaint = _complaint(ModelSettings, values)

    assert complaint == "model: environment staging: there is no deployment v9"
