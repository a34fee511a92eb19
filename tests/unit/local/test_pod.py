import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from penstock.local.pods.events import EventLog
from penstock.local.pods.pod import Pod
from penstock.local.pods.workload import Container, Workload
from penstock.local.processes import Command
from penstock.local.state import StateFolder

if TYPE_CHECKING:
    from penstock.local.pods.launcher import Launcher

DRAINING = """
import signal, sys, threading
from pathlib import Path

name, journal = sys.argv[1:]
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
with Path(journal).open("a") as lines:
    print(name, "started", file=lines)
stop.wait()
threading.Event().wait(0.2)  # a drain takes its time
with Path(journal).open("a") as lines:
    print(name, "ended", file=lines)
"""


class Journal:
    """Starts processes that write down when they start and end."""

    def __init__(self, folder: Path) -> None:
        self.state = StateFolder.at(folder)
        self.state.prepare()
        self.file = folder / "journal"
        self.file.touch()

    @property
    def lines(self) -> list[str]:
        return self.file.read_text().splitlines()

    def command(self, workload: Workload, container: Container, *_: object) -> Command:
        return Command(
            name=f"pod/{container.name}",
            argv=[sys.executable, "-c", DRAINING, container.name, str(self.file)],
            environment={},
            folder=self.state.path,
            log=self.state.logs / container.name,
        )


def workload() -> Workload:
    server = {"name": "model-server", "image": "m", "restartPolicy": "Always"}
    pod = {"initContainers": [server], "containers": [{"name": "dispatcher", "image": "d"}]}
    return Workload.of({"metadata": {"name": "echo"}, "spec": {"template": {"spec": pod}}})


SERVING = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

name, journal, port = sys.argv[1:]

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        with Path(journal).open("a") as lines:
            print(name, "is up", file=lines)
        self.send_response(200)
        self.end_headers()

HTTPServer(("127.0.0.1", int(port)), Health).serve_forever()
"""


class ServingJournal(Journal):
    """Starts a sidecar that can be probed, too."""

    def command(self, workload: Workload, container: Container, *where: Any) -> Command:
        started, (_, ports) = super().command(workload, container), where
        if not container.ports:
            return started
        argv = [sys.executable, "-c", SERVING, container.name, str(self.file)]
        return replace(started, argv=[*argv, str(ports[container.ports[0]])])


async def test_what_serves_a_model_credentials_is_up_before_the_model_starts(
    tmp_path: Path,
) -> None:
    sidecar = {
        "name": "model-credentials",
        "image": "d",
        "restartPolicy": "Always",
        "ports": [{"containerPort": 9091}],
        "startupProbe": {"httpGet": {"path": "/healthz", "port": 9091}},
    }
    server = {"name": "model-server", "image": "m", "restartPolicy": "Always"}
    template = {
        "metadata": {"annotations": {"eks.amazonaws.com/skip-containers": "model-server"}},
        "spec": {
            "initContainers": [sidecar, server],
            "containers": [{"name": "dispatcher", "image": "d"}],
        },
    }
    declared = Workload.of({"metadata": {"name": "echo"}, "spec": {"template": template}})
    journal, events = ServingJournal(tmp_path), EventLog(tmp_path / "events.jsonl")
    pod = Pod("echo-1", declared, cast("Launcher", journal), events)

    await pod.start()
    async with asyncio.timeout(20):
        while len(journal.lines) < 3:
            await asyncio.sleep(0.01)
    await pod.stop()
    events.close()

    assert journal.lines[0] == "model-credentials is up"
    assert set(journal.lines[1:3]) == {"model-server started", "dispatcher started"}


async def test_a_model_server_is_ended_when_its_dispatcher_is_gone(tmp_path: Path) -> None:
    journal, events = Journal(tmp_path), EventLog(tmp_path / "events.jsonl")
    pod = Pod("echo-1", workload(), cast("Launcher", journal), events)

    await pod.start()
    async with asyncio.timeout(20):
        while len(journal.lines) < 2:
            await asyncio.sleep(0.01)
    await pod.stop()
    events.close()

    assert journal.lines[2:] == ["dispatcher ended", "model-server ended"]
    told = map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines())
    assert [event["event"] for event in told][-2:] == ["stopping", "stopped"]
