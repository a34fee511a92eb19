"""The example `embeddings` on the real Truss server."""

import asyncio
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.peers.peer import PeerError, started, wait_for
from infra.artifacts.model_image import model_context
from infra.artifacts.workspace import ROOT
from penstock.local.building import MODEL_ENVIRONMENTS
from penstock.local.pods.images.model_environment import make_model_environment
from penstock.local.pods.images.truss_app import TrussContext
from penstock.local.processes import free_port

PREDICT_PATH = "/v1/models/model:predict"
_ONE_CORE = {"OMP_NUM_THREADS": "1"}
"""The model's; whoever asks it needs the other."""

_DIRECTORY = ROOT / "examples" / "models" / "embeddings"


class Served(NamedTuple):
    """A running model server."""

    url: str
    cpu_seconds: Callable[[], float]
    """What it has used so far."""


@contextmanager
def embeddings() -> Iterator[Served]:
    """Run it while the block runs."""
    context = TrussContext.at(model_context(_DIRECTORY))
    if context is None:
        raise PeerError(f"{_DIRECTORY} is no Truss directory")
    packages = context.packages(_DIRECTORY)
    environment = asyncio.run(make_model_environment(packages, MODEL_ENVIRONMENTS))
    with tempfile.TemporaryDirectory() as scratch:
        app, port = Path(scratch, "app"), free_port()
        context.lay_out(app)
        url = f"http://127.0.0.1:{port}"
        command = [str(environment.python), "main.py"]
        variables = context.environment(app, port, _ONE_CORE)
        with started(command, variables, app) as server:
            wait_for(lambda: _read(f"{url}/v1/models/model"), server)
            yield Served(url, server.cpu_seconds)


def _read(url: str) -> None:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
        answer.read()
