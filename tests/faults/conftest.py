"""The time that simulated dispatchers read, and the line that every run of the suite ends with."""

import asyncio
import logging
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from penstock.contracts import request_id
from penstock.protocol import putting_back
from runtime_image.dispatcher import model_calls, process, worker
from runtime_image.dispatcher.scheduling import gate, lanes
from runtime_image.dispatcher.scheduling.holding import Held
from tests.faults.profile import PROFILE
from tests.faults.simulation.fates import UnexpectedError
from tests.faults.stack import UNEXPECTED
from tests.faults.tally import Tally
from tests.faults.world import WORN_RECEIVES

_TALLY = pytest.StashKey[Tally]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/faults/" in item.path.as_posix():
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """Count what this run does; pytest prints it at its end."""
    return request.config.stash.setdefault(_TALLY, Tally())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if (tally := config.stash.get(_TALLY, None)) is not None:
        terminalreporter.write_line(f"faults ({PROFILE.name}): {tally.line}")
        if report := os.environ.get("PENSTOCK_FAULT_REPORT"):
            Path(report).write_text(tally.as_json())


@pytest.fixture
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let dispatchers measure time on their event loop, which is the simulation's."""

    def now() -> float:
        return asyncio.get_running_loop().time()

    for module in (process, model_calls, lanes):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=now, perf_counter=now))
    monkeypatch.setattr(worker.logger, "exception", _remember)
    # Hypothesis repeats a run from its choices alone: no other order or chance may matter.
    monkeypatch.setattr(request_id, "uuid", SimpleNamespace(uuid4=_chosen_uuid, UUID=UUID))
    monkeypatch.setattr(Held, "__hash__", lambda held: hash(held.delivery.receipt))
    # Few enough for a simulation to have so many.
    monkeypatch.setattr(gate, "_ENDING_LIMIT", 3)
    monkeypatch.setattr(putting_back, "WORN_RECEIVES", WORN_RECEIVES)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def _chosen_uuid() -> UUID:
    return UUID(int=random.getrandbits(128))


def _remember(message: str, **_: object) -> None:
    if not isinstance(error := sys.exception(), UnexpectedError):
        UNEXPECTED.append(f"{message}: {error!r}")
