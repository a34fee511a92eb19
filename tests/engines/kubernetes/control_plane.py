"""etcd, kube-apiserver, controller-manager and scheduler as processes on loopback."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.engines.building import GoModule, source, versions
from tests.engines.kubernetes.api import Api, ApiError
from tests.engines.kubernetes.authority import Authority
from tests.engines.processes import Running, eventually, free_ports

ETCD = GoModule("etcd", ["go.etcd.io/etcd/server/v3"])
KWOK = GoModule("kwok", ["sigs.k8s.io/kwok/cmd/kwok"])
_LOOPBACK = "127.0.0.1"
_START_SECONDS = 120.0
_STAGES = (
    "node/fast/node-*.yaml",
    "node/heartbeat-with-lease/node-*.yaml",
    "pod/fast/pod-*.yaml",
)
"""What becomes of nodes and pods by themselves: they are ready at once, and gone at once."""


def kubernetes(minor: str) -> GoModule:
    """Return the module of a Kubernetes version such as `1.36`."""
    version = versions()["kubernetes"][minor]
    major, number = minor.split(".")
    place = "k8s.io/component-base/version"
    programs = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    return GoModule(
        f"kubernetes-{minor}",
        [f"k8s.io/kubernetes/cmd/{program}" for program in programs],
        [
            (f"{place}.gitVersion", f"v{version}"),
            (f"{place}.gitMajor", major),
            (f"{place}.gitMinor", number),
        ],
    )


@dataclass(frozen=True)
class ControlPlane:
    """A cluster without kubelets; kwok plays the nodes."""

    api: Api
    folder: Path
    kubeconfig: Path
    authority: Authority
    processes: list[Running]

    def client(self, token: str) -> Api:
        """Return a client that is somebody else."""
        return Api(self.api.url, self.folder / "api" / "apiserver.crt", token)


@contextmanager
def control_plane(minor: str, folder: Path) -> Iterator[ControlPlane]:
    """Run a cluster of one version.

    Args:
        minor: such as `1.36`.
        folder: where its data and logs go.
    """
    programs = kubernetes(minor).build()
    etcd, kwok = ETCD.build() / "server", KWOK.build() / "kwok"
    with ExitStack() as ending:
        running: list[Running] = []

        def start(name: str, *command: str | Path) -> None:
            running.append(Running(name, command, folder))
            ending.callback(running[-1].stop)

        client_port, peer_port, api_port = free_ports(3)
        start("etcd", etcd, *_etcd_flags(folder, client_port, peer_port))
        authority = Authority(folder)
        token = secrets.token_hex(16)
        start(
            "kube-apiserver",
            programs / "kube-apiserver",
            *_api_server_flags(folder, authority, token, client_port, api_port),
        )
        url = f"https://{_LOOPBACK}:{api_port}"
        api = eventually(
            lambda: _ready(url, folder, token), _START_SECONDS, "the API server", running=running
        )
        ending.callback(api.close)
        kubeconfig = _kubeconfig(folder, url, token)
        start(
            "kube-controller-manager",
            programs / "kube-controller-manager",
            *_controller_flags(folder, kubeconfig),
        )
        scheduler = ("--kubeconfig", kubeconfig, "--leader-elect=false", "--secure-port=0")
        start("kube-scheduler", programs / "kube-scheduler", *scheduler)
        start("kwok", kwok, *_kwok_flags(kubeconfig))
        plane = ControlPlane(api, folder, kubeconfig, authority, running)
        eventually(lambda: _has_default_account(api), 60, "the default account", running=running)
        yield plane
        for process in running:
            process.check()


def _etcd_flags(folder: Path, client_port: int, peer_port: int) -> list[str]:
    client, peer = f"http://{_LOOPBACK}:{client_port}", f"http://{_LOOPBACK}:{peer_port}"
    return [
        *("--data-dir", str(folder / "etcd")),
        *("--listen-client-urls", client, "--advertise-client-urls", client),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
        *("--initial-cluster", f"default={peer}"),
        *("--log-level", "warn", "--unsafe-no-fsync"),
    ]


def _api_server_flags(
    folder: Path, authority: Authority, token: str, etcd_port: int, port: int
) -> list[str]:
    key = folder / "accounts.key"
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    tokens = folder / "tokens.csv"
    tokens.write_text(f'{token},admin,admin,"system:masters"\n')
    certificate, its_key = authority.issue("front-proxy-client")
    return [
        *("--etcd-servers", f"http://{_LOOPBACK}:{etcd_port}"),
        *("--bind-address", _LOOPBACK, "--secure-port", str(port)),
        *("--cert-dir", str(folder / "api"), "--token-auth-file", str(tokens)),
        *("--service-account-key-file", str(key), "--service-account-signing-key-file", str(key)),
        *("--service-account-issuer", "https://kubernetes.default.svc"),
        *("--authorization-mode", "Node,RBAC", "--allow-privileged=true"),
        *("--service-cluster-ip-range", "10.96.0.0/16"),
        # As EKS has it: APIs of others, such as KEDA's metrics.
        *("--requestheader-client-ca-file", str(authority.certificate)),
        *("--requestheader-allowed-names", "front-proxy-client"),
        *("--requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        *("--requestheader-group-headers", "X-Remote-Group"),
        *("--requestheader-username-headers", "X-Remote-User"),
        *("--proxy-client-cert-file", str(certificate), "--proxy-client-key-file", str(its_key)),
    ]


def _controller_flags(folder: Path, kubeconfig: Path) -> list[str]:
    return [
        *("--kubeconfig", str(kubeconfig), "--leader-elect=false", "--secure-port=0"),
        *("--service-account-private-key-file", str(folder / "accounts.key")),
        # A cluster takes 15 s; the facts do not depend on it.
        "--horizontal-pod-autoscaler-sync-period=1s",
    ]


def _kwok_flags(kubeconfig: Path) -> list[str]:
    stages = source("sigs.k8s.io/kwok", versions()["programs"]["kwok"]) / "kustomize" / "stage"
    return [
        *("--kubeconfig", str(kubeconfig), "--manage-all-nodes=true"),
        "--node-lease-duration-seconds=40",
        *(f"--config={path}" for each in _STAGES for path in sorted(stages.glob(each))),
    ]


def _ready(url: str, folder: Path, token: str) -> Api | None:
    certificate = folder / "api" / "apiserver.crt"
    if not certificate.exists():
        return None
    api = Api(url, certificate, token)
    try:
        api.call("GET", "/api/v1/namespaces/kube-system")
    except (httpx.HTTPError, ApiError, json.JSONDecodeError):
        api.close()
        return None
    return api


def _has_default_account(api: Api) -> bool:
    return bool(api.list("v1", "ServiceAccount", "default"))


def _kubeconfig(folder: Path, url: str, token: str) -> Path:
    path = folder / "kubeconfig"
    cluster = {"server": url, "certificate-authority": str(folder / "api" / "apiserver.crt")}
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "local", "cluster": cluster}],
                "users": [{"name": "admin", "user": {"token": token}}],
                "contexts": [{"name": "local", "context": {"cluster": "local", "user": "admin"}}],
                "current-context": "local",
            }
        )
    )
    path.chmod(0o600)
    return path
