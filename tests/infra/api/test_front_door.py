"""Callers come to the API by a name of the stack's own, past its firewall."""

from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.cost.floor import FIREWALL_RULES
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.conformance import faults
from tests.infra.recording import Declared, record

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"
DOMAIN: dict[str, Any] = {"name": "inference.example.com", "hosted_zone": "Z0EXAMPLE"}


def _with_api(settings: StackSettings, **api: Any) -> StackSettings:
    values = settings.model_dump(mode="json", exclude_none=True)
    return StackSettings.checked({**values, "api": {**values["api"], **api}})


@pytest.fixture(scope="module")
def front(settings: StackSettings, artifacts: Artifacts) -> Declared:
    """A stack with a name and a firewall."""
    chosen = _with_api(settings, domain=DOMAIN, firewall={"calls_per_address": 5_000})
    return record(lambda: declare_stack(chosen, artifacts), stack="prod")


def test_every_input_has_the_type_that_aws_wants(front: Declared) -> None:
    kinds = [":Certificate", ":CertificateValidation", ":DomainName", ":BasePathMapping"]
    kinds += ["route53/record:Record", ":WebAcl", ":WebAclAssociation", ":RestApi"]
    declared = [resource for kind in kinds for resource in front.of_type(kind)]

    assert {r.type.rpartition(":")[2] for r in declared} == {k.rpartition(":")[2] for k in kinds}
    assert [fault for resource in declared for fault in faults(resource)] == []


def test_the_api_answers_at_the_name_and_below_it(front: Declared) -> None:
    names = {r.inputs["domainName"]: r for r in front.of_type(":DomainName")}
    mapped = {r.inputs["domainName"]: r.inputs for r in front.of_type(":BasePathMapping")}

    assert set(names) == set(mapped) == {"inference.example.com", "*.inference.example.com"}
    assert front.returned["api_url"] == "https://inference.example.com"
    stage = front.named("api-stage", ":Stage")
    for mapping in mapped.values():
        # Without a base path the functions see the path as the caller wrote it.
        assert "basePath" not in mapping
        assert mapping["stageName"] == stage.inputs["stageName"]
        assert mapping["restApi"] == "api-rest-id"


def test_dns_leads_each_name_to_the_api(front: Declared) -> None:
    names = {r.inputs["domainName"]: r.outputs for r in front.of_type(":DomainName")}
    records = [r.inputs for r in front.of_type("route53/record:Record")]

    assert {record["zoneId"] for record in records} == {"Z0EXAMPLE"}
    addresses = {record["name"]: record for record in records if record["type"] == "A"}
    assert set(addresses) == set(names)
    for host, address in addresses.items():
        (alias,) = address["aliases"]
        assert alias["name"] == names[host]["regionalDomainName"]
        assert alias["zoneId"] == names[host]["regionalZoneId"]


def test_a_name_waits_for_its_proven_certificate(front: Declared) -> None:
    certificate = front.named("domain-certificate", ":Certificate")
    validation = front.named("domain-validation", ":CertificateValidation")
    (proof,) = [r for r in front.of_type("route53/record:Record") if r.inputs["type"] == "CNAME"]

    assert certificate.inputs["domainName"] == "inference.example.com"
    assert certificate.inputs["subjectAlternativeNames"] == ["*.inference.example.com"]
    assert certificate.inputs["validationMethod"] == "DNS"
    assert proof.inputs["records"] == ["_proof.acm-validations.example."]
    assert validation.inputs["validationRecordFqdns"] == [proof.outputs["fqdn"]]
    for name in front.of_type(":DomainName"):
        assert validation.urn in name.origins["regionalCertificateArn"]
        assert name.inputs["securityPolicy"] == "TLS_1_2"


def test_a_given_certificate_is_used_and_none_is_made(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    domain = {**DOMAIN, "wildcard": False, "certificate_arn": CERTIFICATE}
    chosen = _with_api(settings, domain=domain)

    declared = record(lambda: declare_stack(chosen, artifacts))

    (name,) = declared.of_type(":DomainName")
    assert name.inputs["regionalCertificateArn"] == CERTIFICATE
    assert name.inputs["domainName"] == "inference.example.com"
    assert declared.of_type(":Certificate") == []
    assert [r.inputs["type"] for r in declared.of_type("route53/record:Record")] == ["A"]


def test_the_address_of_aws_is_closed_by_a_deployment(stack: Declared, front: Declared) -> None:
    """API Gateway closes it with the next deployment only."""
    closed = [d.of_type(":RestApi")[0].inputs["disableExecuteApiEndpoint"] for d in (stack, front)]
    deployments = [
        d.of_type("apigateway/deployment:Deployment")[0].inputs["triggers"] for d in (stack, front)
    ]

    assert closed == [False, True]
    assert deployments[0] != deployments[1]


def _rules(declared: Declared) -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in declared.of_type(":WebAcl")[0].inputs["rules"]}


def test_the_firewall_stands_before_every_name_of_the_api(front: Declared) -> None:
    (place,) = front.of_type(":WebAclAssociation")
    (web_acl,) = front.of_type(":WebAcl")

    assert place.inputs["resourceArn"] == front.named("api-stage", ":Stage").outputs["arn"]
    assert place.inputs["webAclArn"] == web_acl.outputs["arn"]
    assert web_acl.inputs["scope"] == "REGIONAL"
    assert web_acl.inputs["defaultAction"] == {"allow": {}}
    assert web_acl.inputs["visibilityConfig"]["metricName"] == "penstock-prod"


def test_who_calls_too_often_is_told_so(front: Declared) -> None:
    rule = _rules(front)["calls-per-address"]

    assert rule["statement"]["rateBasedStatement"] == {
        "limit": 5_000,
        "evaluationWindowSec": 300,
        "aggregateKeyType": "IP",
    }
    assert rule["action"] == {"block": {"customResponse": {"responseCode": 429}}}


def test_an_input_of_a_model_is_no_attack(front: Declared) -> None:
    counted = {
        override["name"]
        for rule in _rules(front).values()
        if (group := rule["statement"].get("managedRuleGroupStatement"))
        for override in group["ruleActionOverrides"]
        if override["actionToUse"] == {"count": {}}
    }

    assert {"SizeRestrictions_BODY", "CrossSiteScripting_BODY", "Log4JRCE_BODY"} <= counted
    assert {"NoUserAgent_HEADER"} == {rule for rule in counted if not rule.endswith("_BODY")}


def test_rules_have_an_order_and_blocking_ones_by_default(front: Declared) -> None:
    rules = _rules(front)

    assert len(rules) == FIREWALL_RULES  # as many as are paid for
    assert sorted(rule["priority"] for rule in rules.values()) == [0, 1, 2, 3]
    managed = [rule for rule in rules.values() if "overrideAction" in rule]
    assert [rule["overrideAction"] for rule in managed] == [{"none": {}}] * 3


def test_a_firewall_on_trial_refuses_nobody(settings: StackSettings, artifacts: Artifacts) -> None:
    chosen = _with_api(settings, firewall={"only_counts": True})

    rules = _rules(record(lambda: declare_stack(chosen, artifacts)))

    actions = [rule.get("action") or rule["overrideAction"] for rule in rules.values()]
    assert actions == [{"count": {}}] * FIREWALL_RULES


def test_without_either_nothing_stands_before_the_api(stack: Declared) -> None:
    for kind in (":DomainName", ":Certificate", ":WebAcl", "route53/record:Record"):
        assert stack.of_type(kind) == []
