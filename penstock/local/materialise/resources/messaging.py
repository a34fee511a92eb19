"""SQS queues and SNS topics."""

from collections.abc import Mapping
from typing import Any

from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.registration import Made, Materialiser, Registration

_QUEUE_ATTRIBUTES = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "maxMessageSize": "MaximumMessageSize",
    "delaySeconds": "DelaySeconds",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "policy": "Policy",
}
_SUBSCRIPTION_ATTRIBUTES = {
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
}


def _attributes(resource: Registration, names: Mapping[str, str]) -> dict[Any, str]:
    found = {attribute: resource.take(key) for key, attribute in names.items()}
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _queue(aws: EmulatedAws, queue: Registration) -> Made:
    name = queue.take("name", queue.name)
    queue.pass_over("tags", "sqsManagedSseEnabled")
    url = aws.sqs.create_queue(QueueName=name, Attributes=_attributes(queue, _QUEUE_ATTRIBUTES))[
        "QueueUrl"
    ]
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return queue.made(url, name=name, url=url, arn=found["QueueArn"])


def _queue_attributes(aws: EmulatedAws, resource: Registration) -> Made:
    url = resource.need("queueUrl")
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes=_attributes(resource, _QUEUE_ATTRIBUTES))
    return resource.made(url)


def _topic(aws: EmulatedAws, topic: Registration) -> Made:
    name = topic.take("name", topic.name)
    topic.pass_over("tags", "kmsMasterKeyId", "signatureVersion", "tracingConfig", "displayName")
    arn = aws.sns.create_topic(Name=name)["TopicArn"]
    return topic.made(arn, name=name, arn=arn)


def _topic_policy(aws: EmulatedAws, resource: Registration) -> Made:
    arn = resource.need("arn")
    aws.sns.set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=resource.need("policy")
    )
    return resource.made(arn)


def _subscription(aws: EmulatedAws, resource: Registration) -> Made:
    arn = aws.sns.subscribe(
        TopicArn=resource.need("topic"),
        Protocol=resource.need("protocol"),
        Endpoint=resource.need("endpoint"),
        Attributes=_attributes(resource, _SUBSCRIPTION_ATTRIBUTES),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return resource.made(arn, arn=arn)


MATERIALISERS: dict[str, Materialiser] = {
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_attributes,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _queue_attributes,
    "aws:sqs/redrivePolicy:RedrivePolicy": _queue_attributes,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
}
