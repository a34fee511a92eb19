"""SQS, SNS, EventBridge, Scheduler."""

from tests.infra.graph.cloudformation.kinds import Kind, Part
from tests.infra.graph.cloudformation.properties import (
    TAGS,
    document,
    inside,
    listed,
    renamed,
    same,
)

MESSAGING: dict[str, Kind | Part] = {
    "aws:sqs/queue:Queue": Kind(
        "AWS::SQS::Queue",
        name="QueueName",
        properties={
            **same("delaySeconds", "kmsMasterKeyId", "kmsDataKeyReusePeriodSeconds"),
            "messageRetentionSeconds": renamed("MessageRetentionPeriod"),
            "receiveWaitTimeSeconds": renamed("ReceiveMessageWaitTimeSeconds"),
            "redrivePolicy": document("RedrivePolicy"),
            "sqsManagedSseEnabled": renamed("SqsManagedSseEnabled"),
            "tags": TAGS,
            "visibilityTimeoutSeconds": renamed("VisibilityTimeout"),
        },
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Kind(
        "AWS::SQS::QueuePolicy",
        {"policy": document("PolicyDocument"), "queueUrl": listed("Queues")},
    ),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": Part(
        "aws:sqs/queue:Queue",
        {"queueUrl": "url"},
        {"redriveAllowPolicy": document("RedriveAllowPolicy")},
    ),
    "aws:sns/topic:Topic": Kind(
        "AWS::SNS::Topic",
        name="TopicName",
        properties={
            "kmsMasterKeyId": renamed("KmsMasterKeyId"),
            "signatureVersion": renamed("SignatureVersion", str),
            "tags": TAGS,
        },
    ),
    "aws:sns/topicPolicy:TopicPolicy": Kind(
        "AWS::SNS::TopicPolicy",
        {"policy": document("PolicyDocument"), "arn": listed("Topics")},
    ),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        "AWS::SNS::Subscription",
        {
            **same("endpoint", "protocol", "rawMessageDelivery"),
            "filterPolicy": document("FilterPolicy"),
            "topic": renamed("TopicArn"),
        },
    ),
    "aws:cloudwatch/eventRule:EventRule": Kind(
        "AWS::Events::Rule", name="Name", properties={"eventPattern": document("EventPattern")}
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Part(
        "aws:cloudwatch/eventRule:EventRule",
        {"rule": "name"},
        {"arn": renamed("Targets", lambda arn: [{"Id": "target", "Arn": arn}])},
    ),
    "aws:scheduler/schedule:Schedule": Kind(
        "AWS::Scheduler::Schedule",
        name="Name",
        properties={
            "flexibleTimeWindow": inside("FlexibleTimeWindow", same("mode")),
            "scheduleExpression": renamed("ScheduleExpression"),
            "target": inside(
                "Target",
                {
                    **same("arn", "roleArn"),
                    "retryPolicy": inside("RetryPolicy", same("maximumRetryAttempts")),
                },
            ),
        },
    ),
}
