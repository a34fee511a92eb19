"""Clusters and stacks for the facts of every engine."""

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from tests.engines.building import versions
from tests.engines.kubernetes.control_plane import ControlPlane, control_plane
from tests.engines.kubernetes.stacks import NAMESPACE, apply_all, definitions, remove_all
from tests.engines.kubernetes.workers import LAST_FOR
from tests.engines.processes import eventually
from tests.infra.conftest import Stacks, settings_of
from tests.infra.graph.lifelike import Lifelike
from tests.infra.recording import Declared, record
from tests.infra.unbuilt import unbuilt_artifacts

_began = time.monotonic()


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
