"""The account of a stack, and the key of its data."""

import pulumi
import pulumi_aws as aws

from infra.components.custody.custody import Custody
from infra.components.custody.customer_key import (
    CustomerKey,
    CustomerKeyArgs,
    for_alarms,
    for_logs,
    for_topics,
)
from infra.settings.stack_settings import StackSettings


def declare_custody(
    settings: StackSettings, provider: aws.Provider, opts: pulumi.ResourceOptions
) -> Custody:
    """Declare the key, if the stack has one of its own."""
    caller = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(provider=provider))
    account_id, region = caller.account_id, settings.region
    if not settings.has_own_key:
        return Custody(account_id=account_id, region=region)
    args = CustomerKeyArgs(
        account_id=account_id,
        alias=f"penstock-{pulumi.get_stack()}",
        description="What Penstock keeps: requests, payloads, results, messages, secrets, logs",
        services=[
            for_logs(account_id, region),
            for_topics(account_id, region),
            for_alarms(account_id),
        ],
        is_protected=settings.is_protected,
    )
    key = CustomerKey("custody", args, opts)
    return Custody(account_id=account_id, region=region, key_arn=key.arn)
