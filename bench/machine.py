"""Which machine and which code a run measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psutil


def machine() -> str:
    """Return processor, cores, memory and Python, in one line."""
    memory_gib = psutil.virtual_memory().total / 1024**3
    cores = len(os.sched_getaffinity(0))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {cores} cores, {memory_gib:.0f} GiB, {platform.system()}, {python}"


def today() -> str:
    """Return the date in UTC."""
    return datetime.now(UTC).date().isoformat()


def commit() -> str:
    """Return the short name of the commit that is checked out."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
