"""The list of machines."""

import json

from tests.unit.cli.conftest import CommandLineOf


def test_machines_are_listed_by_the_names_that_settings_take(penstock: CommandLineOf) -> None:
    result = penstock()("instances")

    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if " g6.12xlarge " in line]
    assert line.split()[:4] == ["L4:4:48x192", "g6.12xlarge", "24", "3760"]
    assert "us-east-1 on 2026-02-09" in result.stderr


def test_a_program_gets_one_document(penstock: CommandLineOf) -> None:
    listed = json.loads(penstock()("instances", "--json").stdout)

    assert (listed["region"], listed["as_of"]) == ("us-east-1", "2026-02-09")
    assert {
        "instance": "L4:4x16",
        "machine": "g6.xlarge",
        "gpu_memory_gib": 24,
        "nvme_gb": 250,
        "usd_per_hour": 0.8048,
        "spot_usd_per_hour": 0.42,
    } in listed["machines"]
    unknown = [m["machine"] for m in listed["machines"] if m["usd_per_hour"] is None]
    assert unknown == ["p6-b300.48xlarge"]
