import pytest

from runtime_image.dispatcher.model_server.presets import Preset, preset_of
from runtime_image.dispatcher.model_server.server import ModelBusyError
from tests.unit.dispatcher.environment import environment

TRUSS = preset_of(environment())
SAGEMAKER = preset_of(environment(model_server_preset="sagemaker"))
HTTP = preset_of(
    environment(
        model_server_preset="http",
        model_server_predict_path="/v1/completions",
        model_server_health_path="/healthz",
    )
)


@pytest.mark.parametrize(
    ("preset", "method", "asked", "path"),
    [
        (TRUSS, "POST", "/", "/v1/models/model:predict"),
        (TRUSS, "POST", "", "/v1/models/model:predict"),
        (TRUSS, "GET", "/health", "/v1/models/model"),
        (TRUSS, "GET", "/v1/models/model/schema", "/v1/models/model/schema"),
        (SAGEMAKER, "POST", "/", "/invocations"),
        (SAGEMAKER, "GET", "/health", "/ping"),
        (SAGEMAKER, "POST", "/health", "/health"),
        (HTTP, "POST", "/", "/v1/completions"),
        (HTTP, "GET", "/health", "/health"),
        (HTTP, "DELETE", "/cache/a%20b", "/cache/a%20b"),
    ],
)
def test_each_contract_has_its_own_places_and_leaves_other_paths_alone(
    preset: Preset, method: str, asked: str, path: str
) -> None:
    assert preset.path_of(method, asked) == path


def test_a_server_of_any_kind_takes_predictions_at_its_root_unless_told_otherwise() -> None:
    assert preset_of(environment(model_server_preset="http")).path_of("POST", "/") == "/"


@pytest.mark.parametrize(
    ("body", "is_ready"),
    [
        (b"", True),
        (b"pong", True),
        (b"[1]", True),
        (b'{"model": "llama"}', True),
        pytest.param(b"[" * 30_000, True, id="nested too deep to be read"),
        (b'{"status": "ok"}', True),
        (b'{"status": "ready"}', True),
        (b'{"status": "healthy"}', True),
        (b'{"status": "running"}', True),
        (b'{"status": "UP"}', True),
        (b'{"status": "unhealthy"}', False),
        (b'{"status": "loading"}', False),
    ],
)
def test_a_document_of_health_has_a_say(body: bytes, is_ready: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert HTTP.is_ready(200, body) is is_ready


def test_a_busy_server_is_told_from_one_that_is_down() -> None:
    with pytest.raises(ModelBusyError):
        HTTP.is_ready(200, b'{"status": "busy"}')


@pytest.mark.parametrize("preset", [TRUSS, SAGEMAKER, HTTP])
@pytest.mark.parametrize("status", [204, 302, 404, 500, 503])
def test_no_other_status_is_healthy(preset: Preset, status: int) -> None:
    assert not preset.is_ready(status, b'{"status": "ok"}')


@pytest.mark.parametrize("preset", [TRUSS, SAGEMAKER])
def test_the_status_alone_counts_where_the_contract_says_so(preset: Preset) -> None:
    assert preset.is_ready(200, b'{"status": "unhealthy"}')
