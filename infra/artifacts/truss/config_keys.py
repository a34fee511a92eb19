"""Every key of Truss's config.yaml, and what becomes of it: followed, noted or refused.

A test holds this list to the keys of the Truss that we build with (`TRUSS_VERSION`).
"""

from collections.abc import Mapping
from typing import Any

from infra.artifacts.truss import resources
from infra.artifacts.truss.treatment import (
    FOLLOWED,
    FOLLOWED_WHOLE,
    Asked,
    Key,
    Place,
    noted,
    refused,
)
from infra.settings.models.model_server import truss_variable

_READ_BY_TRUSS = (
    "model_name", "model_metadata", "description", "examples_filename", "input_type",
    "model_framework", "model_type", "spec_version", "apply_library_patches",
    "model_module_dir", "model_class_filename", "model_class_name",
    "data_dir", "external_package_dirs", "bundled_packages_dir",
    "python_version", "base_image.image", "base_image.python_executable_path",
    "requirements_file", "requirements", "system_packages",
    "build_commands", "build.no_cache", "live_reload",
    "runtime.predict_concurrency", "runtime.enable_tracing_data", "runtime.enable_debug_logs",
    "docker_server.start_command", "docker_server.predict_endpoint",
    "docker_server.readiness_endpoint", "docker_server.liveness_endpoint",
)  # fmt: skip

_SERVED_BY_BASETEN = (
    "its engine is built and served by Baseten's platform alone: serve an image of yours (image:,"
    " preset http), or load the engine in model.py"
)
_MOUNTED_BY_BASETEN = (
    "is not followed: nothing mounts it; put the files into data_dir, or fetch them in load()"
)
_NOT_HERE = "is not followed on this machine"
_BY_HTTP = "is not followed: requests come over HTTP, to predict"
_TAKEN_PORTS = {
    8_080: "Truss's own proxy listens there",
    9_090: "the dispatcher beside it listens there",
}
_STREAM_SECONDS = 60


def _secrets(value: Any, asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    given = {**_variables(asked.config), **asked.deployment.environment_variables}
    secrets = value if isinstance(value, Mapping) else {}
    missing = [n for n, v in secrets.items() if not v and f"TRUSS_SECRET_{n}" not in given]
    if not missing:
        return None
    names = ", ".join(f"TRUSS_SECRET_{name}" for name in missing)
    return (
        f"no value is given for {', '.join(map(str, missing))}: the model can read it if the"
        f" deployment's environment_variables have {names}"
    )


def _variables(config: Mapping[str, Any]) -> Mapping[str, Any]:
    variables = config.get("environment_variables")
    return variables if isinstance(variables, dict) else {}


def _variable_names(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    for name in value if isinstance(value, Mapping) else ():
        try:
            truss_variable(str(name))
        except ValueError as error:
            return str(error)
    return None


def _transport(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    return _BY_HTTP if value not in (None, "http") else None


def _stream(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    if value in (None, _STREAM_SECONDS):
        return None
    return "is not followed: the deployment's predict_timeout_seconds bounds an answer"


def _model_server(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    return _SERVED_BY_BASETEN if value == "TRT_LLM" else None


def _server_port(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    taken = _TAKEN_PORTS.get(value) if isinstance(value, int) else None
    return f"{value}: {taken}; choose another" if taken else None


def _egress(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    if value is None:
        return None
    return "nothing enforces it for one model: leave it out; network.egress is for the whole stack"


def _egress_here(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    return None if value is None else _NOT_HERE


def _packages_here(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    names = ", ".join(map(str, value)) if isinstance(value, list) else ""
    return f"{names}: are not installed on this machine" if names else None


_IMAGE: Mapping[str, Key] = {
    **dict.fromkeys(_READ_BY_TRUSS, FOLLOWED),
    "base_image.docker_auth": noted(
        "is not followed: the build logs in as the machine that runs it", whole=True
    ),
    "bdn": noted(_MOUNTED_BY_BASETEN, whole=True),
    "bis_llm": refused(_SERVED_BY_BASETEN, whole=True),
    "build.arguments": noted("is not followed: Truss's own server takes none"),
    "build.model_server": refused(_model_server),
    "build.secret_to_path_mapping": noted(
        "is not followed: builds are given no secrets; a command that reads one finds no file"
    ),
    "cache_internal": noted("is not followed: write model_cache", whole=True),
    "environment_variables": refused(_variable_names),
    "external_data": FOLLOWED_WHOLE,
    "model_cache": FOLLOWED_WHOLE,
    "docker_server.no_build": refused(
        "leaves out the proxy at port 8080 that requests come through: remove it, or give the image"
        " itself as image: with preset http and its port"
    ),
    "docker_server.run_as_user_id": refused(
        "pods run model servers as user 60000: remove it, or give the image itself as image:"
    ),
    "docker_server.server_port": refused(_server_port),
    "resources.accelerator": noted(resources.accelerator, whole=True),
    "resources.cpu": noted(resources.cpu),
    "resources.fabric": noted("is not followed: nodes have no such network", whole=True),
    "resources.instance_type": noted(resources.instance_type),
    "resources.memory": noted(resources.memory),
    "resources.node_count": refused(resources.node_count),
    "resources.use_gpu": refused(resources.use_gpu),
    "runtime.egress_restrictions": refused(_egress, whole=True),
    "runtime.health_checks": noted("is not followed: pods have probes of their own", whole=True),
    "runtime.is_websocket_endpoint": noted(_BY_HTTP),
    "runtime.oidc": noted("is not followed: no token is mounted", whole=True),
    "runtime.remote_ssh": noted("is not followed: nothing starts an SSH server", whole=True),
    "runtime.streaming_read_timeout": noted(_stream),
    "runtime.transport.kind": noted(_transport),
    "runtime.transport.ping_interval_seconds": noted(_BY_HTTP),
    "runtime.transport.ping_timeout_seconds": noted(_BY_HTTP),
    "runtime.truss_server_version_override": noted(
        "is not followed: the server is that of the Truss that Penstock builds with"
    ),
    "secrets": noted(_secrets),
    "training_checkpoints": noted(_MOUNTED_BY_BASETEN, whole=True),
    "trt_llm": refused(_SERVED_BY_BASETEN, whole=True),
    "use_local_src": refused("needs Truss's own repository beside it: remove it"),
    "weights": noted(_MOUNTED_BY_BASETEN, whole=True),
}

_LAPTOP: Mapping[str, Key] = {
    **_IMAGE,
    "base_image": noted(_NOT_HERE, whole=True),
    "build_commands": noted(_NOT_HERE),
    "docker_server": refused(
        "its start_command runs only in its own image, and there is no Docker here: deploy it to a"
        " cluster, and leave it out of the settings of the local stack",
        whole=True,
    ),
    "external_data": noted(f"{_NOT_HERE}: nothing is downloaded", whole=True),
    "live_reload": noted(_NOT_HERE),
    "model_cache": noted(f"{_NOT_HERE}: nothing is downloaded", whole=True),
    "resources.accelerator": noted(
        f"{_NOT_HERE}: the model has the GPUs that are here, if there are any", whole=True
    ),
    "runtime.egress_restrictions": noted(_egress_here, whole=True),
    "system_packages": noted(_packages_here),
}

KEYS: Mapping[Place, Mapping[str, Key]] = {"image": _IMAGE, "laptop": _LAPTOP}
"""What becomes of each key, by its path; a key that is not here is none of Truss's."""

FORMER_KEYS: Mapping[str, str] = {
    "hf_cache": "model_cache",
    "runtime.num_workers": "runtime.predict_concurrency",
}
"""Keys of earlier versions that Truss still takes, and what they are treated as."""
