"""KEDA's operator and metrics server, beside a control plane on loopback."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.engines.building import GoModule
from tests.engines.kubernetes.control_plane import ControlPlane
from tests.engines.processes import Running, eventually, free_ports

_PROGRAMS = "github.com/kedacore/keda/v2/cmd"
KEDA = GoModule("keda", [f"{_PROGRAMS}/operator", f"{_PROGRAMS}/adapter"])
NAMESPACE = "keda"
_METRICS_API = "v1beta1.external.metrics.k8s.io"
_START_SECONDS = 90.0


@contextmanager
def keda(plane: ControlPlane) -> Iterator[list[Running]]:
    """Run KEDA, which knows the time zones of a cluster beside the system's."""
    programs = KEDA.build()
    certificates = _certificates(plane)
    grpc, probes, prometheus, secure, adapter_port = free_ports(5)
    environment = _environment(plane)
    operator = [
        *(f"--cert-dir={certificates}", f"--metrics-service-bind-address=127.0.0.1:{grpc}"),
        f"--health-probe-bind-address=127.0.0.1:{probes}",
        *(f"--metrics-bind-address=127.0.0.1:{prometheus}", "--zap-log-level=info"),
    ]
    adapter = [
        *(f"--secure-port={secure}", "--bind-address=127.0.0.1", f"--port={adapter_port}"),
        *(f"--metrics-service-address=localhost:{grpc}", f"--cert-dir={certificates}"),
        *(f"--client-ca-file={certificates}/ca.crt", f"--tls-cert-file={certificates}/tls.crt"),
        *(f"--tls-private-key-file={certificates}/tls.key", "--zap-log-level=info"),
        *(f"--{use}-kubeconfig={plane.kubeconfig}" for use in _USES),
    ]
    with ExitStack() as ending:
        running: list[Running] = []
        for name, flags in (("operator", operator), ("adapter", adapter)):
            command: list[str | Path] = [programs / name, *flags]
            running.append(Running(f"keda-{name}", command, plane.folder, environment))
            ending.callback(running[-1].stop)
        _register(plane, secure)
        eventually(lambda: _is_served(plane), _START_SECONDS, "KEDA's metrics", running=running)
        yield running
        for process in running:
            process.check()


_USES = ("lister", "authentication", "authorization")


def zones_of(plane: ControlPlane) -> Path:
    """Return the folder of a cluster's own time zones."""
    return plane.folder / "zones"


def _environment(plane: ControlPlane) -> Mapping[str, str]:
    environment = {
        **os.environ,
        "KUBECONFIG": str(plane.kubeconfig),
        "WATCH_NAMESPACE": "",
        "POD_NAMESPACE": NAMESPACE,
        "POD_NAME": "keda-operator-0",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    environment.pop("AWS_ENDPOINT_URL", None)
    return {**environment, "ZONEINFO": str(zones_of(plane))}


def _certificates(plane: ControlPlane) -> Path:
    folder = plane.folder / "keda-certificates"
    folder.mkdir(exist_ok=True)
    certificate, key = plane.authority.issue("keda", "localhost", "127.0.0.1")
    shutil.copy(plane.authority.certificate, folder / "ca.crt")
    shutil.copy(certificate, folder / "tls.crt")
    shutil.copy(key, folder / "tls.key")
    return folder


def _register(plane: ControlPlane, port: int) -> None:
    """Tell the API server where the metrics are: on loopback, which no endpoint may name."""
    name = "keda-metrics-apiserver"
    plane.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
    plane.api.apply(service, force=True)
    group, version = "external.metrics.k8s.io", "v1beta1"
    served = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": _METRICS_API},
        "spec": {
            "group": group,
            "version": version,
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "service": {"name": name, "namespace": NAMESPACE, "port": port},
        },
    }
    plane.api.apply(served, force=True)


def _is_served(plane: ControlPlane) -> bool:
    found = plane.api.call("GET", f"/apis/apiregistration.k8s.io/v1/apiservices/{_METRICS_API}")
    conditions = found.get("status", {}).get("conditions", ())
    return any(c["type"] == "Available" and c["status"] == "True" for c in conditions)
