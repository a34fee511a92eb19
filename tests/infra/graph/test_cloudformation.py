"""CloudFormation's own checker finds nothing wrong with what the stack declares.

It knows ranges, patterns, IAM's actions and what cannot go together, which types do not say.
"""

import json
from typing import Any

import pulumi_aws as aws
import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it has no types

from tests.infra.graph.cloudformation.properties import NotRenderedError
from tests.infra.graph.cloudformation.template import KINDS, templates
from tests.infra.recording import Declared, record

NOT_RENDERED = (
    "aws:acm/",
    "aws:apigateway/basePathMapping:",
    "aws:apigateway/domainName:",
    "aws:autoscaling/",
    "aws:dynamodb/tableItem:",
    "aws:ec2/",
    "aws:eks/",
    "aws:route53/",
    "aws:vpc/",
    "aws:wafv2/",
)
"""Held to the SDK's types alone."""


def findings(declared: Declared, region: str = "us-east-1") -> list[str]:
    return [
        f"{'/'.join(map(str, match.path))}: {match.rule.id} {match.message}"
        for template in templates(declared)
        for match in lint(json.dumps(template), regions=[region])
    ]


def test_cloudformation_takes_what_is_declared(graph: Declared) -> None:
    assert findings(graph) == []


def test_every_type_is_rendered_or_known_not_to_be(graph: Declared) -> None:
    types = {resource.type for resource in graph if resource.type.startswith("aws:")}

    assert {t for t in types - KINDS.keys() if not t.startswith(NOT_RENDERED)} == set()


@pytest.mark.parametrize(
    ("inputs", "finding"),
    [
        ({"visibility_timeout_seconds": 43_201}, "43201 is greater than the maximum of 43200"),
        ({"redrive_policy": '{"maxReceives": 3}'}, "maxReceives"),
    ],
)
def test_what_cloudformation_would_refuse_is_found(inputs: dict[str, Any], finding: str) -> None:
    declared = record(lambda: aws.sqs.Queue("q", **inputs))

    (found,) = findings(declared)
    assert finding in found


def test_an_action_that_iam_does_not_know_is_found() -> None:
    statement = {"Effect": "Allow", "Action": "sqs:SendMessageBatch", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    (found,) = findings(record(lambda: aws.iam.Policy("p", policy=text)))
    assert "sendmessagebatch" in found


def test_no_input_is_left_out_unseen() -> None:
    declared = record(lambda: aws.sqs.Queue("q", fifo_queue=True))

    with pytest.raises(NotRenderedError, match=r"aws:sqs/queue:Queue q: fifoQueue"):
        templates(declared)
