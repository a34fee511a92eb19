"""`python -m bench`: measure, print, and with `--write` put it into docs/performance.md."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.backends.emulator import emulated_stack
from bench.batching import measurement as batching
from bench.figures import Figure, Run
from bench.lab import Lab
from bench.machine import commit, machine, today
from bench.measurements import (
    cold_start,
    dispatcher,
    durable_http,
    functions,
    growth,
    idle_latency,
    occupancy,
    priority,
    resources,
)
from bench.peers import measurement as peers
from bench.plots import draw
from bench.report import PICTURES, print_run, sections, write_page

_LATEST, _BEFORE = PICTURES / "latest.json", PICTURES / "before.json"
_MEASUREMENTS: Mapping[str, Callable[[Lab], list[Figure]]] = {
    "functions": functions.measure,
    "cold-start": cold_start.measure,
    "dispatcher": dispatcher.measure,
    "occupancy": occupancy.measure,
    "idle-latency": idle_latency.measure,
    "priority": priority.measure,
    "resources": resources.measure,
    "growth": growth.measure,
    "durable-http": durable_http.measure,
    "batching": batching.measure,
    "peers": peers.measure,
}
_QUICK = ("functions", "dispatcher", "occupancy", "durable-http")
"""The main ratios, in under a minute."""


def main() -> None:
    """Measure what was asked for, or everything."""
    asked = _arguments()
    figures: list[Figure] = []
    with emulated_stack() as stack:
        lab = Lab(stack, asked.quick)
        for name in asked.only or (_QUICK if asked.quick else _MEASUREMENTS):
            started = time.monotonic()
            figures += _MEASUREMENTS[name](lab)
            took = f"{time.monotonic() - started:.0f} s"
            print(f"measured {name} in {took}", file=sys.stderr, flush=True)
    if asked.only and asked.write:
        figures = _with_the_others(figures)
    run = Run(
        command=" ".join(("python -m bench", *sys.argv[1:])),
        machine=machine(),
        date=today(),
        commit=commit(),
        figures=tuple(figures),
        notes=tuple(lab.notes),
    )
    print_run(run)
    if asked.json:
        asked.json.write_text(run.model_dump_json(indent=1))
    if asked.write:
        draw(run)
        _LATEST.write_text(run.model_dump_json(indent=1))
        before = Run.model_validate_json(_BEFORE.read_text()) if _BEFORE.exists() else None
        write_page(run, before)


def _with_the_others(figures: list[Figure]) -> list[Figure]:
    """Return the latest run's figures, those of sections that were measured again replaced."""
    kept = Run.model_validate_json(_LATEST.read_text()).figures
    replaced: list[Figure] = []
    for section, own in sections(kept):
        again = [figure for figure in figures if figure.section == section]
        replaced += again or own
    known = {figure.section for figure in replaced}
    return replaced + [figure for figure in figures if figure.section not in known]


def _known(name: str) -> str:
    if name not in _MEASUREMENTS:
        names = ", ".join(_MEASUREMENTS)
        raise argparse.ArgumentTypeError(f"{name!r} is not measured here; choose from {names}")
    return name


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    names = ", ".join(_MEASUREMENTS)
    parser.add_argument(
        "only",
        nargs="*",
        metavar="NAME",
        type=_known,
        help=f"what to measure; all if none: {names}",
    )
    parser.add_argument("--quick", action="store_true", help="fewer requests, in under a minute")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
