"""Whose contract the model server keeps: where it takes predictions, and how it says it is ready.

`truss` is the server of Truss (`truss/templates/server`), `sagemaker` the container contract of
Amazon SageMaker, `http` any server; its readiness follows DataCrunch's containers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.json_text import NotJsonError, parse_json
from runtime_image.dispatcher.model_server.server import ModelBusyError

_HEALTHY = {"ok", "ready", "healthy", "running", "up"}
_CALLERS_HEALTH = "/health"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One such contract."""

    predict_path: str
    health_path: str
    """Empty: a server that listens is ready."""

    reads_health: bool = False
    """Whether a JSON document that the health path answers has a say beside the HTTP status."""

    has_own_health: bool = True
    """Whether a caller who asks for `/health` means `health_path`."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """What a prediction carries unless its caller says otherwise."""

    def path_of(self, method: str, path: str) -> str:
        """Return where a call goes that its caller addressed to `path`."""
        if path in {"", "/"}:
            return self.predict_path
        if self.has_own_health and (method, path) == ("GET", _CALLERS_HEALTH):
            return self.health_path
        return path

    def is_ready(self, status: int, body: bytes) -> bool:
        """Whether an answer of the health path means that requests would be taken.

        Raises:
            ModelBusyError: the server lives and takes no new ones.
        """
        if status != HTTPStatus.OK:
            return False
        if not self.reads_health or (said := _status_in(body)) is None:
            return True
        if said == "busy":
            raise ModelBusyError("the model server says that it is busy")
        return said in _HEALTHY


def preset_of(environment: DispatcherEnvironment) -> Preset:
    """Return what this deployment's model server keeps to."""
    match environment.model_server_preset:
        case "truss":
            return Preset(
                predict_path="/v1/models/model:predict",
                health_path="/v1/models/model",
                # A generator's output is then gathered into one JSON answer by the Truss server.
                headers={"Accept": "application/json"},
            )
        case "sagemaker":
            return Preset(predict_path="/invocations", health_path="/ping")
        case "http":
            return Preset(
                predict_path=environment.model_server_predict_path or "/",
                health_path=environment.model_server_health_path,
                reads_health=True,
                has_own_health=False,
            )


def _status_in(body: bytes) -> str | None:
    """Return the `status` of a JSON document; `None` if it is another thing."""
    try:
        document = parse_json(body)
    except NotJsonError:
        return None
    status = document.get("status") if isinstance(document, dict) else None
    return status.lower() if isinstance(status, str) else None
