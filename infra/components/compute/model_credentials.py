"""The sidecar that gives a model the credentials of its own role, before the model starts."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from infra.components.compute.containers import DISPATCHER_USER, hardened, probe, variables
from infra.components.permissions import Statement, allow
from infra.settings.model_settings import (
    MODEL_CREDENTIALS_HEALTH_PORT,
    MODEL_CREDENTIALS_PORT,
)
from penstock.contracts.environments import ModelCredentialsEnvironment

CREDENTIALS_MILLICORES, CREDENTIALS_MIB = 50, 64
"""What it asks for, out of the share of the dispatcher, which then asks for as much less."""

VOLUME: k8s.core.v1.VolumeArgsDict = {
    "name": "model-credentials",
    "empty_dir": {"medium": "Memory", "size_limit": "1Mi"},
}
"""Where the token lies: not in the manifest, which others may read."""

_RESOURCES: k8s.core.v1.ResourceRequirementsArgsDict = {
    "requests": {"cpu": f"{CREDENTIALS_MILLICORES}m", "memory": f"{CREDENTIALS_MIB}Mi"},
    "limits": {"memory": "256Mi"},
}
_FOLDER = "/run/penstock/model-credentials"
_TOKEN_FILE = f"{_FOLDER}/token"


def statement_to_assume(role_arn: str) -> Statement:
    """Allow to assume one role.

    The session of a pod has tags that go with it into the next role, which is a right of its own.
    """
    return allow(["sts:AssumeRole", "sts:TagSession"], role_arn)


def model_variables(region: str) -> dict[str, str]:
    """Return by what an SDK in the model container finds credentials and region."""
    endpoint = f"http://127.0.0.1:{MODEL_CREDENTIALS_PORT}/v1/credentials"
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": _TOKEN_FILE,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def token_mount(*, read_only: bool) -> k8s.core.v1.VolumeMountArgsDict:
    """Return where a container sees the token."""
    return {"name": VOLUME["name"], "mount_path": _FOLDER, "read_only": read_only}


def model_credentials(
    role_arn: str,
    deployment_id: str,
    image: pulumi.Input[str],
    platform_variables: Mapping[str, pulumi.Input[str]],
) -> k8s.core.v1.ContainerArgsDict:
    """Return a sidecar of the dispatcher's image: what starts after it finds its endpoint there."""
    told = ModelCredentialsEnvironment.variables(
        model_role=role_arn,
        deployment_id=deployment_id,
        token_file=_TOKEN_FILE,
        # The defaults say the same; whoever maps ports elsewhere must see them declared.
        credentials_port=str(MODEL_CREDENTIALS_PORT),
        port=str(MODEL_CREDENTIALS_HEALTH_PORT),
    )
    return {
        "name": "model-credentials",
        "restart_policy": "Always",
        "image": image,
        "command": ["python", "-m", "runtime_image.dispatcher.model_credentials"],
        "env": variables({**platform_variables, **told}),
        "ports": [
            {"name": "health", "container_port": MODEL_CREDENTIALS_HEALTH_PORT},
            {"name": "credentials", "container_port": MODEL_CREDENTIALS_PORT},
        ],
        "resources": _RESOURCES,
        "startup_probe": probe(
            "/healthz", MODEL_CREDENTIALS_HEALTH_PORT, period_seconds=1, failures=60
        ),
        "liveness_probe": probe(
            "/healthz", MODEL_CREDENTIALS_HEALTH_PORT, period_seconds=10, failures=6
        ),
        "security_context": hardened(DISPATCHER_USER, read_only=True),
        "volume_mounts": [token_mount(read_only=False)],
    }
