"""What a stack costs, as the command says it."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import CommandLineOf

STACK = """
config:
  penstock:settings:
    environment: dev
    region: us-east-1
    network: {}
    cluster:
      name: main
      create:
        public_access_cidrs: [198.51.100.0/24]
        admin_role_arns: [arn:aws:iam::123456789012:role/deployer]
    models:
      ocr:
        deployments:
          v1: { truss: models/ocr, instance: INSTANCE }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(STACK.replace("INSTANCE", "L4"))
    return path


def test_a_file_is_estimated_line_by_line(penstock: CommandLineOf, file: Path) -> None:
    result = penstock()("cost", "estimate", "--file", str(file), "--service-seconds", "1.5")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert any(line.split() == ["NAT", "gateways", "1", "32.85"] for line in lines)
    (on_demand,) = [line.split() for line in lines if "on-demand" in line]
    assert on_demand == ["ocr-v1", "L4", "g6.xlarge", "on-demand", "0.8158", "0.8158", "0.3399"]
    assert "requests of 1.5 s" in result.stdout
    assert "prices of us-east-1 on 2026-02-09" in result.stderr


def test_a_stack_is_the_file_of_its_name(
    penstock: CommandLineOf, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)

    result = penstock()("cost", "estimate", "--stack", "dev", "--json")

    found = json.loads(result.stdout)
    assert found["floor_usd_per_month"] == pytest.approx(
        sum(item["usd_per_month"] for item in found["floor"])
    )
    assert [d["capacity"] for d in found["deployments"]] == ["spot", "on-demand"]
    assert found["deployments"][0]["usd_per_1000_requests"] is None


@pytest.mark.parametrize("arguments", [(), ("--stack", "dev", "--file", "Pulumi.dev.yaml")])
def test_exactly_one_stack_is_named(penstock: CommandLineOf, arguments: tuple[str, ...]) -> None:
    result = penstock()("cost", "estimate", *arguments)

    assert result.exit_code == 2
    assert "--stack NAME or --file FILE" in result.stderr


def test_a_stack_that_is_not_there_is_said(
    penstock: CommandLineOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = penstock()("cost", "estimate", "--stack", "prod")

    assert result.exit_code == 2
    assert "Pulumi.prod.yaml" in result.stderr


def test_an_instance_that_fits_nowhere_is_said(penstock: CommandLineOf, file: Path) -> None:
    file.write_text(STACK.replace("INSTANCE", "L4:200x768"))

    result = penstock()("cost", "estimate", "--file", str(file))

    assert result.exit_code == 2
    assert "no machine is large enough; there are L4:4x16" in result.stderr
