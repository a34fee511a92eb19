"""What Amazon Linux 2023 is told when it starts as a node (nodeadm's `NodeConfig`)."""

import base64
from typing import Any

import yaml

_BOUNDARY = "penstock-node-config"


def node_config(*, has_nvme: bool) -> dict[str, Any]:
    """Return the configuration: images are pulled in parallel, onto the local disks if any."""
    spec: dict[str, Any] = {"featureGates": {"FastImagePull": True}}
    if has_nvme:
        # One array of all disks; images, logs and the pods' own volumes move onto it.
        spec["instance"] = {"localStorage": {"strategy": "RAID0"}}
    return {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": spec}


def mime(config: dict[str, Any]) -> str:
    """Return the configuration as user data; EKS adds a part of its own."""
    return "\n".join(
        [
            "MIME-Version: 1.0",
            f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"',
            "",
            f"--{_BOUNDARY}",
            "Content-Type: application/node.eks.aws",
            "",
            yaml.safe_dump(config, sort_keys=True),
            f"--{_BOUNDARY}--",
            "",
        ]
    )


def user_data(config: dict[str, Any]) -> str:
    """Return the configuration as a launch template takes it."""
    return base64.b64encode(mime(config).encode()).decode()
