import json
from typing import Any

from tests.policies.cases.case import (
    fails,
    no_plain_http,
    passes,
    policy_text,
    resource,
    statement,
)
from tests.policies.servicer import UNKNOWN, Given

QUEUE, DEAD, TOPIC = "arn:aws:sqs:::work", "arn:aws:sqs:::dead", "arn:aws:sns:::ended"
DAY = 86_400


def queue(**props: Any) -> Given:
    given = {"messageRetentionSeconds": 14 * DAY, "visibilityTimeoutSeconds": 120, **props}
    return resource("sqs/queue", "work", arn=QUEUE, url="https://work", **given)


def redriven(count: int = 5, **props: Any) -> Given:
    redrive = json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": count})
    return queue(redrivePolicy=redrive, **props)


def dead_letters(**props: Any) -> Given:
    given = {"messageRetentionSeconds": 14 * DAY, **props}
    return resource("sqs/queue", "dead", arn=DEAD, url="https://dead", **given)


def unknown_redrive() -> Given:
    """A queue as it is in the first preview: nobody knows the ARN of its dead-letter queue."""
    given = queue(redrivePolicy=UNKNOWN)
    return given._replace(origins={"redrivePolicy": frozenset({dead_letters().urn})})


def function(**props: Any) -> Given:
    return resource("lambda/function", "webhooks", name="webhooks-1", **props)


ALIAS = resource("lambda/alias", "live", functionName="webhooks-1", arn="arn:aws:lambda:::live")


def fed(by: str, function: str) -> Given:
    kind = "lambda/eventSourceMapping"
    return resource(kind, "source", eventSourceArn=by, functionName=function)


def queue_policy(*statements: Any) -> Given:
    text = policy_text(*statements)
    return resource("sqs/queuePolicy", "work-policy", queueUrl="https://work", policy=text)


def topic_policy(*statements: Any) -> Given:
    text = policy_text(*statements)
    return resource("sns/topicPolicy", "ended-policy", arn=TOPIC, policy=text)


ENDED = resource("sns/topic", "ended", arn=TOPIC)
FROM_TOPIC = statement(
    Principal={"Service": "sns.amazonaws.com"},
    Action="sqs:SendMessage",
    Condition={"ArnEquals": {"aws:SourceArn": TOPIC}},
)
FROM_ANYBODY = statement(Principal="*", Action="sqs:SendMessage")

CASES = [
    passes("sqs-encrypted", "by SQS", queue(sqsManagedSseEnabled=True)),
    passes("sqs-encrypted", "by KMS", queue(kmsMasterKeyId="alias/data")),
    fails("sqs-encrypted", "not at all", queue(), says="work: set sqs_managed_sse_enabled or kms"),
    fails("sqs-encrypted", "off", queue(sqsManagedSseEnabled=False), says="set sqs_managed_sse"),
    passes("sqs-long-poll", "long", queue(receiveWaitTimeSeconds=20)),
    fails("sqs-long-poll", "short", queue(), says="set receive_wait_time_seconds to 20"),
    passes("sqs-dlq", "a dead-letter queue", redriven(), dead_letters()),
    passes("sqs-dlq", "one that is not there yet", unknown_redrive(), dead_letters()),
    passes(
        "sqs-dlq",
        "more tries by config",
        redriven(50),
        dead_letters(),
        config={"maxReceiveCount": 50},
    ),
    passes(
        "sqs-dlq", "one try by config", redriven(1), dead_letters(), config={"minReceiveCount": 1}
    ),
    passes(
        "sqs-dlq",
        "attempts are counted elsewhere",
        redriven(200),
        dead_letters(),
        config={"countedElsewhere": ["w*"]},
    ),
    passes(
        "sqs-dlq",
        "in a resource of its own",
        queue(),
        dead_letters(),
        resource(
            "sqs/redrivePolicy",
            "work-redrive",
            queueUrl="https://work",
            redrivePolicy=redriven().props["redrivePolicy"],
        ),
    ),
    passes("sqs-dlq", "signals", queue(), config={"signals": ["work"]}),
    fails("sqs-dlq", "none", queue(), says="work: set redrive_policy"),
    fails("sqs-dlq", "too many tries", redriven(1_000), dead_letters(), says="to 3..20, not 1000"),
    fails("sqs-dlq", "too few tries", redriven(1), dead_letters(), says="to 3..20, not 1"),
    passes("sqs-retention", "two weeks each", redriven(), dead_letters()),
    passes(
        "sqs-retention",
        "signals",
        queue(messageRetentionSeconds=300),
        config={"signals": ["work"]},
    ),
    fails(
        "sqs-retention",
        "a day",
        redriven(messageRetentionSeconds=DAY),
        dead_letters(),
        says="work: set message_retention_seconds to 259200 or more",
    ),
    fails(
        "sqs-retention",
        "dead letters die first",
        unknown_redrive(),
        dead_letters(messageRetentionSeconds=4 * DAY),
        says="dead: set message_retention_seconds to 1209600 or more, as in work",
    ),
    passes("sqs-visibility", "two minutes", redriven(), dead_letters(visibilityTimeoutSeconds=30)),
    passes(
        "sqs-visibility",
        "six timeouts of its function",
        redriven(),
        dead_letters(),
        function(timeout=20),
        ALIAS,
        fed(QUEUE, "arn:aws:lambda:::live"),
    ),
    passes(
        "sqs-visibility",
        "signals",
        queue(visibilityTimeoutSeconds=30),
        config={"signals": ["work"]},
    ),
    fails(
        "sqs-visibility",
        "what SQS does by itself",
        redriven(visibilityTimeoutSeconds=None),
        says="work: set visibility_timeout_seconds to 60..43200",
    ),
    fails(
        "sqs-visibility",
        "longer than SQS can",
        redriven(visibilityTimeoutSeconds=50_000),
        says="60..43200",
    ),
    fails(
        "sqs-visibility",
        "shorter than six timeouts",
        redriven(),
        function(timeout=60),
        ALIAS,
        fed(QUEUE, "arn:aws:lambda:::live"),
        says="6 times the 60 s timeout of webhooks",
    ),
    passes(
        "sqs-sns-policy-tls",
        "guarded",
        queue(),
        queue_policy(no_plain_http(Action="sqs:*"), FROM_TOPIC),
        ENDED,
        topic_policy(no_plain_http(Action="sns:Publish")),
    ),
    fails("sqs-sns-policy-tls", "no policy", queue(), says="work: add a QueuePolicy that denies"),
    fails("sqs-sns-policy-tls", "a topic without", ENDED, says="ended: add a TopicPolicy"),
    fails(
        "sqs-sns-policy-tls",
        "a policy that allows only",
        queue(),
        queue_policy(FROM_TOPIC),
        says="work: add a QueuePolicy",
    ),
    fails(
        "sqs-sns-policy-tls",
        "open to anybody",
        queue(),
        queue_policy(no_plain_http(Action="sqs:*"), FROM_ANYBODY),
        says="work-policy: name principals",
    ),
]
