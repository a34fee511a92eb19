"""A preview starts quickly: a stack imports no providers' modules but those it declares with."""

import subprocess
import sys


def test_only_a_stack_with_a_cluster_of_its_own_imports_what_that_is_made_of() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import infra.program, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "infra.cluster_place" in loaded
    assert {"infra.new_cluster", "pulumi_aws.ec2.vpc", "pulumi_aws.eks.cluster"}.isdisjoint(loaded)
