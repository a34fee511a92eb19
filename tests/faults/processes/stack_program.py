"""`python -m tests.faults.processes.stack_program`: a local stack whose workers call a proxy."""

import argparse
from pathlib import Path

from penstock.local.stack import StackOptions, run_stack
from penstock.local.state import StateFolder


def main() -> None:
    """Run the stack until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers-aws-url", required=True)
    parser.add_argument("--settings", required=True, type=Path)
    parser.add_argument("--state", required=True, type=Path)
    asked = parser.parse_args()
    options = StackOptions(
        settings_file=asked.settings,
        state=StateFolder.at(asked.state),
        workers_aws_url=asked.workers_aws_url,
    )
    run_stack(options, print, lambda _: None)


if __name__ == "__main__":
    main()
