"""The files of a running local stack."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from penstock.contracts.contract import Contract, UtcDatetime
from penstock.contracts.stack.local_stack import LOCAL_STACK_FILE

DEFAULT_FOLDER = LOCAL_STACK_FILE.parent


class ProcessStatus(Contract):
    """One process of a pod."""

    name: str
    pid: int | None
    restarts: int


class PodStatus(Contract):
    """One worker pod."""

    name: str
    phase: str
    processes: tuple[ProcessStatus, ...]


class DeploymentStatus(Contract):
    """The pods of one deployment, and the load they answer to."""

    name: str
    min_replicas: int
    max_replicas: int
    wanted_replicas: int
    queue_depth: int
    messages_in_flight: int
    pods: tuple[PodStatus, ...]
    notes: tuple[str, ...] = ()
    """What differs here from the cloud: Python version, system packages."""

    fault: str | None = None
    """Why it has not the pods that it should have; it is tried again."""

    @property
    def ready_replicas(self) -> int:
        """How many pods take work."""
        return sum(pod.phase == "ready" for pod in self.pods)


class StackStatus(Contract):
    """What the supervisor saw last."""

    models: tuple[str, ...]
    deployments: tuple[DeploymentStatus, ...]

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What differs here from the cloud, with the deployment that it is about."""
        return tuple((d.name, note) for d in self.deployments for note in d.notes)


class StackEnd(Contract):
    """When and why a stack ended that does not run any more."""

    at: UtcDatetime
    reason: str
    has_failed: bool
    """Whether nobody had asked it to end."""


@dataclass(frozen=True)
class StateFolder:
    """All that a local stack writes, except caches; its logs and its end outlive it."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "StateFolder":
        """Return the folder at `path`, as an absolute path."""
        return cls(path.absolute())

    @property
    def logs(self) -> Path:
        """One file per process, and the event log of the pods."""
        return self.path / "logs"

    @property
    def supervisor_log(self) -> Path:
        """What a detached `penstock local up` says."""
        return self.logs / "supervisor.log"

    @property
    def events(self) -> Path:
        """What happened to the pods."""
        return self.logs / "events.jsonl"

    @property
    def scratch(self) -> Path:
        """Temporary files and home folders of the processes."""
        return self.path / "scratch"

    @property
    def running_stack(self) -> Path:
        """Written when the stack is ready."""
        return self.path / LOCAL_STACK_FILE.name

    @property
    def status(self) -> Path:
        """Written at every step of the scaler."""
        return self.path / "status.json"

    @property
    def supervisor(self) -> Path:
        """Names the process of `penstock local up`."""
        return self.path / "supervisor.json"

    @property
    def end(self) -> Path:
        """Written when the stack has ended, and kept until the next one starts."""
        return self.path / "ended.json"

    def prepare(self) -> None:
        """Make the folder, without what an earlier stack left."""
        self.forget()
        self.end.unlink(missing_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        for log in self.logs.iterdir():
            if log != self.supervisor_log:  # a detached supervisor writes there already
                log.unlink()
        self.scratch.mkdir()

    def forget(self) -> None:
        """Remove everything but the logs and how the stack ended."""
        for file in (self.running_stack, self.status, self.supervisor):
            file.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def write(self, file: Path, content: BaseModel) -> None:
        """Write `content` so that a reader sees all of it or none; only the owner may read it."""
        with tempfile.NamedTemporaryFile("w", dir=self.path, delete=False) as beside:
            beside.write(content.model_dump_json(indent=2))
        Path(beside.name).replace(file)
