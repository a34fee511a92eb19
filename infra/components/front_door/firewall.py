"""AWS WAF in front of the API."""

from dataclasses import dataclass
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from infra.settings.api.firewall import FirewallSettings

_WINDOW_SECONDS = 300


class ManagedRules(NamedTuple):
    """A group of rules that AWS keeps up to date."""

    group: str
    counted: tuple[str, ...] = ()
    """Its rules that let calls through all the same."""


MANAGED_RULES = (
    ManagedRules("AWSManagedRulesAmazonIpReputationList"),
    # Bodies are inputs of models: code, markup and addresses in them are no attack, and most are
    # larger than the 8 KiB that the size rule allows.
    ManagedRules(
        "AWSManagedRulesKnownBadInputsRuleSet",
        ("JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"),
    ),
    ManagedRules(
        "AWSManagedRulesCommonRuleSet",
        (
            "SizeRestrictions_BODY",
            "CrossSiteScripting_BODY",
            "EC2MetaDataSSRF_BODY",
            "GenericLFI_BODY",
            "GenericRFI_BODY",
            # Programs call, and not all of them say what they are.
            "NoUserAgent_HEADER",
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """What a firewall needs to know."""

    settings: FirewallSettings
    stack: str
    """In its metrics' names: an account may have several."""

    stage_arn: pulumi.Input[str]
    """The stage of the API that it stands in front of, under whatever name that is called."""


class Firewall(pulumi.ComponentResource):
    """Rules for every call, before anybody asks for its key."""

    def __init__(
        self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:network:Firewall", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        rules = [_rate_rule(args.settings)]
        rules += [
            _managed_rule(managed, priority, args.settings)
            for priority, managed in enumerate(MANAGED_RULES, start=1)
        ]
        web_acl = aws.wafv2.WebAcl(
            f"{name}-rules",
            description="Penstock: what may call the API",
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=rules,
            visibility_config=_metrics(f"penstock-{args.stack}"),
            opts=child,
        )
        aws.wafv2.WebAclAssociation(
            f"{name}-place", resource_arn=args.stage_arn, web_acl_arn=web_acl.arn, opts=child
        )
        self.register_outputs({"arn": web_acl.arn})


def _rate_rule(settings: FirewallSettings) -> aws.wafv2.WebAclRuleArgsDict:
    refusal: aws.wafv2.WebAclRuleActionArgsDict = {
        "block": {"custom_response": {"response_code": 429}}
    }
    return {
        "name": "calls-per-address",
        "priority": 0,
        "action": {"count": {}} if settings.only_counts else refusal,
        "statement": {
            "rate_based_statement": {
                "limit": settings.calls_per_address,
                "evaluation_window_sec": _WINDOW_SECONDS,
                "aggregate_key_type": "IP",
            }
        },
        "visibility_config": _metrics("calls-per-address"),
    }


def _managed_rule(
    managed: ManagedRules, priority: int, settings: FirewallSettings
) -> aws.wafv2.WebAclRuleArgsDict:
    return {
        "name": managed.group,
        "priority": priority,
        "override_action": {"count": {}} if settings.only_counts else {"none": {}},
        "statement": {
            "managed_rule_group_statement": {
                "vendor_name": "AWS",
                "name": managed.group,
                "rule_action_overrides": [
                    {"name": rule, "action_to_use": {"count": {}}} for rule in managed.counted
                ],
            }
        },
        "visibility_config": _metrics(managed.group),
    }


def _metrics(name: str) -> aws.wafv2.WebAclVisibilityConfigArgsDict:
    return {
        "cloudwatch_metrics_enabled": True,
        "metric_name": name,
        # Samples show the headers of calls, and the keys in them.
        "sampled_requests_enabled": False,
    }
