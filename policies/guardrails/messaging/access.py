"""Queues and topics refuse strangers and plain HTTP."""

from collections.abc import Iterator

from ..declaring import Settings, stack_policy
from ..resources import Resource, Stack
from ..statements import allowing, is_for_everyone, refuses_plain_http, statements

_GUARDED = {
    "aws:sqs/queue:Queue": ("aws:sqs/queuePolicy:QueuePolicy", "queueUrl"),
    "aws:sns/topic:Topic": ("aws:sns/topicPolicy:TopicPolicy", "arn"),
}


@stack_policy(
    "sqs-sns-policy-tls",
)
def messages_travel_safely(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """Queues and topics refuse callers without TLS, and let nobody in who is merely anybody."""
    for guarded, (policy_type, key) in _GUARDED.items():
        for resource in stack.of(guarded):
            policies = stack.referring_to(resource, [policy_type], key)
            if resource.at("policy") is not None:
                policies.append(resource)
            for policy in policies:
                yield from _open_doors(policy)
            if not any(_is_closed_to_plain_http(policy) for policy in policies):
                yield (
                    resource,
                    f"add a {policy_type.rpartition(':')[2]} that denies everyone while"
                    " aws:SecureTransport is false",
                )


def _is_closed_to_plain_http(policy: Resource) -> bool:
    found = statements(policy.at("policy"))
    return found is None or any(map(refuses_plain_http, found))


def _open_doors(policy: Resource) -> Iterator[tuple[Resource, str]]:
    for statement in allowing(policy.at("policy")):
        if is_for_everyone(statement) and not statement.get("Condition"):
            yield policy, "name principals instead of '*', or add a Condition"
