"""Clusters and stacks for the facts of every engine."""

import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from tests.engines.building import versions
from tests.engines.keda.operator import keda
from tests.engines.keda.queues import Queues, serve
from tests.engines.keda.workload import AUTHENTICATION, Start, Workload
from tests.engines.keda.workload import NAMESPACE as KEDAS
from tests.engines.kubernetes.control_plane import ControlPlane, control_plane
from tests.engines.kubernetes.stacks import NAMESPACE, apply_all, definitions, remove_all
from tests.engines.kubernetes.workers import LAST_FOR
from tests.engines.processes import eventually
from tests.infra.conftest import Stacks, settings_of
from tests.infra.graph.lifelike import Lifelike
from tests.infra.recording import Declared, record
from tests.infra.unbuilt import unbuilt_artifacts

_began = time.monotonic()
_numbers = count()
_NODES = 4


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """Built parts that nobody built."""
    return unbuilt_artifacts(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="session")
def declared_stack(artifacts: Artifacts) -> Stacks:
    """Declares a stack at the first call for it."""

    @cache
    def declared(name: str) -> Declared:
        settings = settings_of(name)
        answers = Lifelike(settings.region)
        return record(lambda: declare_stack(settings, artifacts), stack=name, answers=answers)

    return declared


@pytest.fixture(scope="session", params=list(versions()["kubernetes"]))
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """A cluster of each Kubernetes version in turn, which knows KEDA's and Karpenter's kinds."""
    with control_plane(request.param, tmp_path_factory.mktemp("cluster")) as plane:
        for definition in definitions():
            plane.api.apply(definition)
        yield plane


@pytest.fixture(scope="module", params=["dev", "prod", "other"])
def stack_name(request: pytest.FixtureRequest) -> str:
    """Each whole stack in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def declared(stack_name: str, declared_stack: Stacks) -> Declared:
    """The stack as the program declares it."""
    return declared_stack(stack_name)


@pytest.fixture(scope="module")
def applied(cluster: ControlPlane, declared: Declared) -> Iterator[list[dict[str, Any]]]:
    """The stack on the cluster, without pods."""
    kept = apply_all(cluster.api, declared)
    yield kept
    remove_all(cluster.api, declared)
    eventually(
        lambda: not cluster.api.list("v1", "Pod", NAMESPACE), LAST_FOR, "the pods to be gone"
    )


@pytest.fixture(scope="session")
def with_keda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster of the newest version, with machines and KEDA."""
    newest = list(versions()["kubernetes"])[-1]
    with control_plane(newest, tmp_path_factory.mktemp("keda")) as made:
        for definition in definitions():
            made.api.apply(definition)
        for number in range(_NODES):
            _add_node(made, f"machine-{number}")
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KEDAS}}
        made.api.apply(namespace)
        with keda(made):
            made.api.apply(
                {
                    "apiVersion": "keda.sh/v1alpha1",
                    "kind": "ClusterTriggerAuthentication",
                    "metadata": {"name": AUTHENTICATION},
                    "spec": {"podIdentity": {"provider": "aws"}},
                }
            )
            yield made


def _add_node(plane: ControlPlane, name: str) -> None:
    room = {"cpu": "64", "memory": "256Gi", "pods": "500"}
    status = {"capacity": room, "allocatable": room}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status}
    plane.api.call("POST", "/api/v1/nodes", body=node)


@pytest.fixture(scope="session")
def queues() -> Iterator[Queues]:
    """The queues of all tests."""
    with serve() as served:
        yield served


@pytest.fixture
def start(with_keda: ControlPlane, queues: Queues) -> Iterator[Start]:
    """Makes deployments that KEDA scales, and removes them."""
    made: list[Workload] = []

    def starting(
        *,
        change: Callable[[dict[str, Any]], None] = lambda _: None,
        polling_seconds: int = 1,
        **settings: Any,
    ) -> Workload:
        name = f"worker-{next(_numbers)}"
        made.append(Workload(with_keda.api, queues, name, polling_seconds, settings, change))
        made[-1].apply()
        return made[-1]

    yield starting
    for each in made:
        each.remove()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with a line of what was held."""
    held, unmet = (_facts(terminalreporter, outcome) for outcome in ("passed", "xfailed"))
    if held or unmet:
        seconds = time.monotonic() - _began
        terminalreporter.write_line(f"engines: {held} facts held, {unmet} open, {seconds:.0f} s")


def _facts(reporter: pytest.TerminalReporter, outcome: str) -> int:
    """Count facts alone: `make test` loads this file too."""
    here = "tests/engines/check_"
    return sum(report.nodeid.startswith(here) for report in reporter.stats.get(outcome, ()))
