"""What a model server may be made from, and how it may be spoken to."""

from typing import Any

import pytest

from infra.settings.models.model_server import ModelServerSettings
from penstock.contracts.errors import SettingsError

IMAGE = "r@sha256:" + "0" * 64


def _complaint(**values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        ModelServerSettings.checked(values, root="model")
    return str(refused.value)


@pytest.mark.parametrize(
    "source",
    [{}, {"truss": "t", "image": IMAGE}, {"truss": "t", "container": "c"}],
)
def test_a_model_server_has_exactly_one_source(source: dict[str, Any]) -> None:
    assert _complaint(**source) == "model: give exactly one of truss, container and image"


@pytest.mark.parametrize("image", ["r:latest", "r", "r@sha256:12", IMAGE[1:]])
def test_an_image_that_can_change_is_refused(image: str) -> None:
    assert "write repository@sha256:<digest>" in _complaint(image=image, preset="http")


@pytest.mark.parametrize("source", [{"container": "c"}, {"image": IMAGE}])
def test_whatever_is_no_truss_says_what_it_speaks(source: dict[str, Any]) -> None:
    assert "say what the server speaks: preset truss, sagemaker or http" in _complaint(**source)


@pytest.mark.parametrize("preset", ["truss", "sagemaker", "http"])
def test_a_container_may_speak_any_preset(preset: str) -> None:
    given = ModelServerSettings.checked({"container": "c", "preset": preset})

    assert given.speaks == preset


@pytest.mark.parametrize("more", [{"preset": "http"}, {"args": ["serve"]}])
def test_a_truss_runs_on_the_truss_server(more: dict[str, Any]) -> None:
    assert "a Truss directory runs on the Truss server" in _complaint(truss="t", **more)
    assert ModelServerSettings.checked({"truss": "t"}).speaks == "truss"


@pytest.mark.parametrize(
    ("key", "value"), [("predict_path", "/"), ("health_path", "/up"), ("port", 8_000)]
)
@pytest.mark.parametrize("preset", ["truss", "sagemaker"])
def test_paths_and_port_are_for_preset_http(preset: str, key: str, value: object) -> None:
    complaint = _complaint(container="c", preset=preset, **{key: value})

    assert complaint == f"model: {key}: only for preset http, the others know"


@pytest.mark.parametrize("path", ["predict", "", "/a?b=1", "/a#b", "/a b"])
def test_a_path_has_neither_query_nor_blanks(path: str) -> None:
    complaint = _complaint(container="c", preset="http", predict_path=path)

    assert complaint.startswith("model.predict_path: ")


@pytest.mark.parametrize("port", [80, 65_536, 9_090])
def test_a_port_is_free_for_anybody(port: int) -> None:
    assert _complaint(container="c", preset="http", port=port).startswith("model.port: ")


def test_the_port_of_the_truss_server_is_no_variable_to_set() -> None:
    complaint = _complaint(truss="t", environment_variables={"INFERENCE_SERVER_PORT": "9000"})

    assert complaint.startswith("model: INFERENCE_SERVER_PORT: the Truss server listens on 8080")


@pytest.mark.parametrize("name", ["PENSTOCK_MODEL_ID", "1A", "A-B", ""])
def test_variables_of_the_platform_and_impossible_ones_are_refused(name: str) -> None:
    complaint = _complaint(truss="t", environment_variables={name: "x"})

    assert complaint.startswith(f"model.environment_variables.{name}: ")
