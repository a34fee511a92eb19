"""A preview starts quickly: a stack imports no providers' modules but those it declares with."""

import subprocess
import sys


def test_only_stacks_with_a_cluster_or_firewall_of_their_own_import_what_those_are_of() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import infra.program, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "infra.cluster_place" in loaded
    made_of = {"pulumi_aws.ec2.vpc", "pulumi_aws.eks.cluster", "pulumi_aws.wafv2.web_acl"}
    assert made_of.isdisjoint(loaded)
