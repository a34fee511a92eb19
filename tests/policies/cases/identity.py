from typing import Any

from tests.policies.cases.case import fails, passes, policy_text, resource, statement
from tests.policies.servicer import Given

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/requests"
TAGGED = {"StringEquals": {"aws:ResourceTag/penstock": "dev"}}
ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def allowed(**parts: Any) -> Given:
    text = policy_text(statement(**parts))
    return resource("iam/rolePolicy", "intake-permissions", policy=text)


def inline(**parts: Any) -> Given:
    text = policy_text(statement(**parts))
    return resource("iam/role", "intake", inlinePolicies=[{"name": "p", "policy": text}])


def taken_by(**parts: Any) -> Given:
    text = policy_text(statement(Action="sts:AssumeRole", **parts))
    return resource("iam/role", "worker", assumeRolePolicy=text)


def service(name: str, **parts: Any) -> Given:
    return taken_by(Principal={"Service": name}, **parts)


def attached(name: str) -> Given:
    arn = f"arn:aws:iam::aws:policy/{name}"
    return resource("iam/rolePolicyAttachment", "worker-policy", policyArn=arn)


CASES = [
    passes("iam-no-star", "named", allowed(Action=["dynamodb:GetItem"], Resource=TABLE)),
    passes("iam-no-star", "nothing to name", allowed(Action="xray:PutTraceSegments", Resource="*")),
    passes(
        "iam-no-star",
        "narrowed by a tag",
        allowed(Action="sqs:SendMessage", Resource="arn:aws:sqs:*:*:*", Condition=TAGGED),
    ),
    passes(
        "iam-no-star",
        "allowed by config",
        allowed(Action="sns:ListTopics", Resource="*"),
        config={"actionsOnEverything": ["sns:List*"]},
    ),
    fails("iam-no-star", "every action", allowed(Action="*", Resource=TABLE), says="behind '*'"),
    fails(
        "iam-no-star",
        "a whole service",
        allowed(Action=["dynamodb:*"], Resource=TABLE),
        says="name the actions behind 'dynamodb:*'",
    ),
    fails(
        "iam-no-star",
        "every resource",
        allowed(Action="dynamodb:PutItem", Resource="*"),
        says="name the resources of dynamodb:PutItem",
    ),
    fails(
        "iam-no-star",
        "every resource in disguise",
        allowed(Action="sqs:SendMessage", Resource="arn:aws:sqs:*:*:*"),
        says="name the resources of sqs:SendMessage",
    ),
    fails(
        "iam-no-star",
        "all but some",
        allowed(NotAction="iam:*", Resource=TABLE),
        says="allow by Action and Resource",
    ),
    fails("iam-no-star", "inside a role", inline(Action="s3:*", Resource=TABLE), says="'s3:*'"),
    passes("iam-trust", "for this account", service("scheduler.amazonaws.com", Condition=ACCOUNT)),
    passes("iam-trust", "bound by PassRole", service("lambda.amazonaws.com")),
    passes(
        "iam-trust",
        "allowed by config",
        service("scheduler.amazonaws.com"),
        config={"servicesWithoutSource": ["scheduler.amazonaws.com"]},
    ),
    fails(
        "iam-trust",
        "for any account",
        service("pods.eks.amazonaws.com"),
        says="worker: add a Condition on aws:SourceAccount or aws:SourceArn: pods.eks",
    ),
    fails("iam-trust", "for anybody", taken_by(Principal="*"), says="instead of '*'"),
    fails("iam-trust", "for any account", taken_by(Principal={"AWS": "*"}), says="instead of '*'"),
    passes("iam-no-managed-admin", "a small policy", attached("service-role/AmazonEKSWorker")),
    fails(
        "iam-no-managed-admin",
        "all of AWS",
        attached("AdministratorAccess"),
        says="instead of AdministratorAccess",
    ),
    fails(
        "iam-no-managed-admin",
        "all of AWS, in the role",
        resource("iam/role", "r", managedPolicyArns=["arn:aws:iam::aws:policy/PowerUserAccess"]),
        says="r: attach a policy of what is needed instead of PowerUserAccess",
    ),
]
