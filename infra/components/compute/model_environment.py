"""The file that tells a Truss server which environment points to its deployment."""

import json

import pulumi
import pulumi_kubernetes as k8s

_VOLUME = "model-environment"
_FOLDER = "/etc/b10_dynamic_config"  # where the Truss server looks, twice a minute
_FILE = "environment"


def declare_environment_file(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    environment: str | None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Declare the file with the name of `environment`, or `null`; return what volumes call it.

    Its name must never change: pods go on while kubelet brings them what it says now.
    """
    told = None if environment is None else {"name": environment}
    file = k8s.core.v1.ConfigMap(
        f"{name}-environment",
        metadata=metadata,
        data={_FILE: json.dumps(told)},
        opts=opts,
    )
    return file.metadata.name


def environment_volume(file: pulumi.Input[str]) -> k8s.core.v1.VolumeArgsDict:
    """Return the volume of a pod whose model server is told its environment by `file`."""
    return {"name": _VOLUME, "config_map": {"name": file}}


def environment_mount() -> k8s.core.v1.VolumeMountArgsDict:
    """Return where the model server finds that volume; mounted alone, the file would not change."""
    return {"name": _VOLUME, "mount_path": _FOLDER, "read_only": True}
