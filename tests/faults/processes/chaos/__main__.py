"""`python -m tests.faults.processes.chaos`: print one line; exit 1 if a promise was broken."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.processes.chaos.plan import Plan
from tests.faults.processes.chaos.run import run_chaos


def main() -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--seconds-between-kills", type=float, default=1)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    plan = Plan(
        requests=asked.requests,
        seconds_between_kills=asked.seconds_between_kills,
        seed=asked.seed,
    )
    with tempfile.TemporaryDirectory(prefix="penstock-chaos-") as folder:
        report = run_chaos(plan, Path(folder))
    for broken in report.broken:
        sys.stderr.write(f"{broken}\n")
    sys.stdout.write(f"chaos: {report.line}\n")
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
