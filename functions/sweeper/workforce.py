"""Doing many jobs, several at a time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

Job = Callable[[], None]
"""Something to do that does not depend on what else is done at the same time."""

Workforce = Callable[[Iterator[Job]], None]
"""Does jobs and returns when all are done; a job is taken only when somebody is free for it."""


def one_after_another(jobs: Iterator[Job]) -> None:
    """Do jobs in their order."""
    for job in jobs:
        job()


def in_threads(count: int) -> Workforce:
    """Return a workforce of so many threads."""

    def work(jobs: Iterator[Job]) -> None:
        taking = Lock()  # a generator runs in one thread at a time

        def take() -> Job | None:
            with taking:
                return next(jobs, None)

        def labour() -> None:
            while (job := take()) is not None:
                job()

        with ThreadPoolExecutor(count, thread_name_prefix="sweep") as threads:
            for done in [threads.submit(labour) for _ in range(count)]:
                done.result()

    return work
