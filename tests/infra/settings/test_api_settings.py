"""What can be said of the API's name and firewall."""

from typing import Any

import pytest

from infra.settings.api.domain import DomainSettings
from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError

ZONE = "Z0EXAMPLE"
NAME = "inference.example.com"


def _stack(environment: str = "dev", **api: Any) -> dict[str, Any]:
    cluster = {"name": "c", "kubeconfig_context": "c"}
    return {"environment": environment, "region": "eu-west-1", "cluster": cluster, "api": api}


def _complaint(values: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        StackSettings.checked(values)
    return str(refused.value)


def test_a_domain_covers_the_hosts_of_models_unless_told_otherwise() -> None:
    domain = DomainSettings(name=NAME, hosted_zone=ZONE)

    assert list(domain.hosts.values()) == [NAME, f"*.{NAME}"]
    alone = domain.model_copy(update={"wildcard": False})
    assert list(alone.hosts.values()) == [NAME]


@pytest.mark.parametrize(
    "name", ["example", "*.example.com", "Example.com", "https://example.com", "a..com", "-a.com"]
)
def test_a_name_that_dns_does_not_know_is_refused(name: str) -> None:
    complaint = _complaint(_stack(domain={"name": name, "hosted_zone": ZONE}))

    assert complaint.startswith("settings.api.domain.name: ")


def test_a_zone_is_named_by_its_id() -> None:
    complaint = _complaint(_stack(domain={"name": NAME, "hosted_zone": "example.com"}))

    assert complaint.startswith("settings.api.domain.hosted_zone: ")


def test_a_certificate_of_another_region_is_refused() -> None:
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"
    domain = {"name": NAME, "hosted_zone": ZONE, "certificate_arn": arn}

    complaint = _complaint(_stack(domain=domain))

    assert "it is in us-east-1; the API needs one in eu-west-1" in complaint


@pytest.mark.parametrize("api", [{"domain": {"name": NAME, "hosted_zone": ZONE}}, {"firewall": {}}])
def test_a_laptop_has_neither(api: dict[str, Any]) -> None:
    assert "a laptop has neither" in _complaint(_stack("local", **api))


@pytest.mark.parametrize("calls", [9, 2_000_000_001])
def test_a_limit_that_the_firewall_does_not_know_is_refused(calls: int) -> None:
    complaint = _complaint(_stack(firewall={"calls_per_address": calls}))

    assert complaint.startswith("settings.api.firewall.calls_per_address: ")
