"""Stacks of many deployments, and what it takes to declare them.

python -m tests.infra.growth 50 1000
"""

import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.machine import commit, machine, today
from infra.artifacts.artifacts import Artifacts
from infra.artifacts.workspace import ROOT
from infra.program import declare
from infra.settings.stack_settings import StackSettings
from tests.infra.graph.lifelike import Lifelike
from tests.infra.graph.sizes import oversized
from tests.infra.recording import Declared, record
from tests.infra.unbuilt import unbuilt_artifacts

QUOTAS = {
    "aws:iam/role:Role": 1_000,
    "aws:iam/policy:Policy": 1_500,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 5_000,
    "aws:eks/nodeGroup:NodeGroup": 30,
}
"""What an account, or a cluster, has of a type before somebody asks AWS for more."""


def stack_of(deployments: int) -> StackSettings:
    """Return the production example with that many models: four of GPUs, one of SageMaker's."""
    example = StackSettings.read(ROOT / "Pulumi.prod.yaml.example")
    values: dict[str, Any] = example.model_dump(mode="json", exclude_none=True)
    gpu = values["models"]["ocr"]["deployments"]["v2"]
    speech = values["models"]["speech"]["deployments"]["v1"]
    values["models"] = {
        f"model-{number}": {
            "deployments": {"v1": gpu if number % 5 else _with_own_buckets(speech, number)}
        }
        for number in range(deployments)
    }
    values["chains"] = {}
    return StackSettings.checked(values)


def _with_own_buckets(deployment: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        **deployment,
        "input_buckets": [f"recordings-{number}"],
        "sagemaker": {
            "output_path": f"s3://transcripts-{number}/done",
            "failure_path": f"s3://transcripts-{number}/failed",
        },
    }


def declared_stack_of(deployments: int, artifacts: Artifacts) -> Declared:
    """Declare such a stack."""
    settings = stack_of(deployments)
    answers = Lifelike(settings.region)
    return record(lambda: declare(settings, artifacts), stack="growth", answers=answers)


def report(sizes: Sequence[int], artifacts: Artifacts) -> Iterator[str]:
    """Yield lines on what stacks of these sizes take, and where they are too large for AWS."""
    yield f"{machine()}; {today()}; {commit()}\n"
    yield "| deployments | resources | seconds | of them computing | memory |"
    yield "|---|---|---|---|---|"
    for size in sizes:
        clock, computing = time.perf_counter(), time.process_time()
        declared = declared_stack_of(size, artifacts)
        seconds, computed = time.perf_counter() - clock, time.process_time() - computing
        mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
        count = len(declared.resources)
        yield f"| {size:,} | {count:,} | {seconds:.1f} | {computed:.1f} | {mib:,} MiB |"
        yield from _crowded(declared)


def _crowded(declared: Declared) -> Iterator[str]:
    counts = Counter(found.type for found in declared)
    for kind, quota in QUOTAS.items():
        if counts[kind] > quota:
            yield f"  {counts[kind]:,} {kind}, quota {quota:,}"
    yield from (f"  {fault}" for fault in oversized(declared))


def main() -> None:
    """Report the sizes that the command line names."""
    with tempfile.TemporaryDirectory() as name:
        artifacts = unbuilt_artifacts(Path(name))
        for line in report([int(size) for size in sys.argv[1:]], artifacts):
            print(line, flush=True)  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main()
