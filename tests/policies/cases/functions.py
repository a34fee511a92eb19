from typing import Any

from tests.policies.cases.case import fails, passes, resource
from tests.policies.servicer import UNKNOWN, Given

RANDOM = "q8Zr2LkP0vXn7TbW4yHs9MdF1cGj6UeA3"  # looks like a token, is none
SHORT = "x"
SIGNING = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:signing-0a1b2c"


def function(**props: Any) -> Given:
    return resource("lambda/function", "intake", name="intake-1", **props)


def told(**variables: Any) -> Given:
    return function(environment={"variables": variables})


def logs(**props: Any) -> Given:
    return resource("cloudwatch/logGroup", "intake-logs", name="intake-logs-1", **props)


def logging(to: str, *origins: Given) -> Given:
    given = function(loggingConfig={"logGroup": to, "logFormat": "JSON"})
    return given._replace(origins={"loggingConfig": frozenset(o.urn for o in origins)})


def url(kind: str) -> Given:
    return resource("lambda/functionUrl", "intake-url", authorizationType=kind)


CASES = [
    passes("lambda-runtime", "maintained", function(runtime="python3.13")),
    passes("lambda-runtime", "an image", function(packageType="Image")),
    passes(
        "lambda-runtime",
        "allowed by config",
        function(runtime="nodejs24.x"),
        config={"runtimes": ["nodejs24.x"]},
    ),
    fails("lambda-runtime", "outdated", function(runtime="python3.9"), says="not python3.9"),
    passes("lambda-arm64", "arm", function(architectures=["arm64"])),
    fails(
        "lambda-arm64", "x86", function(architectures=["x86_64"]), says='architectures=["arm64"]'
    ),
    fails("lambda-arm64", "x86 by default", function(), says="intake: set architectures"),
    passes("lambda-concurrency", "bounded", function(reservedConcurrentExecutions=50)),
    fails("lambda-concurrency", "unbounded", function(), says="set reserved_concurrent_executions"),
    fails(
        "lambda-concurrency",
        "unbounded, spelt out",
        function(reservedConcurrentExecutions=-1),
        says="set reserved_concurrent_executions",
    ),
    passes("lambda-log-group", "its own", logging("intake-logs-1"), logs(retentionInDays=30)),
    passes(
        "lambda-log-group",
        "its own, not there yet",
        logging(UNKNOWN, logs()),
        logs(retentionInDays=30),
    ),
    passes(
        "lambda-log-group",
        "the one that Lambda expects",
        function(),
        resource("cloudwatch/logGroup", "l", name="/aws/lambda/intake-1", retentionInDays=7),
    ),
    fails("lambda-log-group", "none", function(), says="intake: declare a LogGroup"),
    fails(
        "lambda-log-group",
        "kept for ever",
        logging("intake-logs-1"),
        logs(),
        says="set retention_in_days of its log group intake-logs",
    ),
    passes(
        "lambda-env-no-secrets",
        "names and numbers",
        told(
            SIGNING_SECRET_ID=SIGNING,
            API_KEYS_TABLE="api-keys-table-0a1b2c3",
            QUEUE_URL="https://sqs.eu-west-1.amazonaws.com/123456789012/ocr-v1-p0-0a1b2c3",
            KEY_ID="1234abcd-12ab-34cd-56ef-1234567890ab",
            IMAGE=f"images@sha256:{'0123456789abcdef' * 4}",
            MAX_PAYLOAD_BYTES="262144",
        ),
    ),
    fails(
        "lambda-env-no-secrets", "a password", told(DB_PASSWORD=SHORT), says="move DB_PASSWORD to"
    ),
    fails(
        "lambda-env-no-secrets",
        "a password that nobody knows yet",
        told(DB_PASSWORD=UNKNOWN),
        says="move DB_PASSWORD to Secrets Manager",
    ),
    fails("lambda-env-no-secrets", "a token", told(SESSION=RANDOM), says="intake: move SESSION"),
    fails(
        "lambda-env-no-secrets",
        "a key in hexadecimal",
        told(SALT="9f86d081884c7d659a2feaa0c55ad015"),
        says="move SALT",
    ),
    fails("lambda-env-no-secrets", "a webhook secret", told(S="whsec_abc"), says="move S to"),
    passes("lambda-url-auth", "signed", url("AWS_IAM")),
    fails("lambda-url-auth", "open", url("NONE"), says="set authorization_type to AWS_IAM"),
]
