"""Random calls of a local stack, for ten minutes or as many seconds as are given.

`python -m tests.fuzz [SECONDS]`; ends with 1 if an answer was wrong.
"""

import sys
import tempfile
import traceback
from pathlib import Path

import requests
import yaml

from penstock.adapters.aws.directory import DynamoCatalog
from tests.e2e.stack import Stack, running_stack, settings_of
from tests.fuzz.campaign import Campaign, attack_for
from tests.fuzz.known import Known

SECONDS = 600.0
EXAMPLES = 5
"""Calls of one operation before the next has its turn."""

ALWAYS_WARM = {"min_replica": 1, "max_replica": 1, "concurrency_target": 4}


def main() -> int:
    """Attack a fresh stack, print how it went and return the exit code."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder), _settings()) as stack,
    ):
        session = requests.Session()
        session.trust_env = False
        campaign = Campaign(
            base_url=stack.description.front_url,
            session=session,
            api_key=stack.description.api_key,
            known=Known(_names(stack)),
        )
        failures = attack_for(campaign, seconds, EXAMPLES)
    _report(campaign, failures)
    return 1 if failures else 0


def _settings() -> str:
    settings = yaml.safe_load(settings_of(echo={"autoscaling": ALWAYS_WARM}))
    settings["config"]["penstock:settings"]["chains"] = {"pages": "echo"}
    return yaml.safe_dump(settings)


def _names(stack: Stack) -> dict[str, list[str]]:
    outputs = stack.description.outputs
    models = DynamoCatalog(outputs.catalog_table, stack.aws.dynamodb).all_models()
    names = [model.model_id for model in models]
    return {
        "model_id": names,
        "chain_id": ["pages"],
        "environment": ["production"],
        "deployment_id": [name for model in models for name in model.deployments],
        "deployment": names,
        "endpoint_name": names,
        "host": [f"model-{name}.api.example.com" for name in names]
        + ["chain-pages.api.example.com"],
    }


def _report(campaign: Campaign, failures: list[BaseException]) -> None:
    for failure in failures:
        traceback.print_exception(failure)
    lines = [
        f"{label:<75} {dict(sorted(counts.items()))}"
        for label, counts in sorted(campaign.statuses.items())
    ]
    calls = sum(sum(counts.values()) for counts in campaign.statuses.values())
    lines.append(
        f"fuzz: {calls} calls of {len(lines)} operations, {len(failures)} answered wrongly"
    )
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    sys.exit(main())
