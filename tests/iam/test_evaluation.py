"""The evaluator decides as IAM's documentation says."""

from typing import Any

import pytest

from tests.iam.evaluation import Access, Statement, is_allowed

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
SEND = Access("sqs:SendMessage", QUEUE)


def statement(
    actions: Any = "sqs:SendMessage", resources: Any = QUEUE, effect: str = "Allow", **more: Any
) -> Statement:
    raw = {"Effect": effect, "Action": actions, "Resource": resources}
    return Statement.of(raw | {name.title(): value for name, value in more.items()})


def conditional(operator: str, key: str, *wanted: str) -> Statement:
    return statement(condition={operator: {key: list(wanted)}})


def test_nothing_is_allowed_that_no_statement_allows() -> None:
    assert not is_allowed(SEND, [])
    assert not is_allowed(SEND, [statement("sqs:DeleteMessage")])
    assert not is_allowed(SEND, [statement(resources=f"{QUEUE}2")])
    assert is_allowed(SEND, [statement()])


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("SQS:sendmessage", QUEUE, True),
        ("sqs:Send*", QUEUE, True),
        ("sqs:SendMessag?", QUEUE, True),
        ("sqs:Send?", QUEUE, False),
        ("sqs:SendMessage", "arn:aws:sqs:*:*:*", True),
        ("sqs:SendMessage", QUEUE.upper(), False),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:[q]", False),
    ],
)
def test_patterns_match_as_in_iam(action: str, resource: str, expected: bool) -> None:  # noqa: FBT001 - a column
    assert is_allowed(SEND, [statement(action, resource)]) is expected


def test_a_refusal_beats_every_permission_wherever_it_stands() -> None:
    refusal = statement("sqs:*", effect="Deny")
    assert not is_allowed(SEND, [statement(), refusal])
    assert not is_allowed(SEND, [statement()], [statement("sqs:*", effect="Deny", principal="*")])


def test_what_a_resource_grants_to_a_service_is_not_granted_to_roles() -> None:
    to_topics = statement(principal={"Service": "sns.amazonaws.com"})
    assert not is_allowed(SEND, [], [to_topics])


def test_a_key_must_let_in_whom_a_role_sends() -> None:
    use = Access("kms:Decrypt", KEY)
    of_role = statement("kms:Decrypt", KEY)
    of_key = statement("kms:*", "*", principal={"AWS": "arn:aws:iam::123456789012:root"})
    assert not is_allowed(use, [of_role])
    assert not is_allowed(use, [], [of_key])
    assert is_allowed(use, [of_role], [of_key])


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", ["a", "b"], ["b"], True),
        ("StringEquals", ["a"], ["A"], False),
        ("StringEquals", ["a"], [], False),
        ("StringEqualsIfExists", ["a"], [], True),
        ("StringEqualsIfExists", ["a"], ["b"], False),
        ("StringNotEquals", ["a", "b"], ["b"], False),
        ("StringNotEquals", ["a"], ["b"], True),
        ("StringNotEquals", ["a"], [], True),
        ("StringNotEqualsIfExists", ["a"], ["a"], False),
        ("StringLike", ["a*"], ["abc"], True),
        ("StringLike", ["a*"], ["ba"], False),
        ("StringLike", ["*"], [], False),
        ("Bool", ["false"], ["False"], True),
        ("Bool", ["false"], [], False),
        ("BoolIfExists", ["false"], [], True),
        ("Null", ["true"], [], True),
        ("Null", ["true"], ["a"], False),
        ("Null", ["false"], ["a"], True),
        ("ArnLike", ["arn:aws:sns:*:1:*"], ["arn:aws:sns:eu:1:t:u"], True),
        ("ArnLike", ["arn:*:1:t"], ["arn:aws:sns:eu:1:t"], False),
        ("ArnEquals", ["arn:aws:sns:eu:1:t"], ["arn:aws:sns:eu:1:t"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], [], True),
        ("ForAnyValue:StringEquals", ["a"], ["a", "c"], True),
        ("ForAllValues:StringLike", ["a*"], ["a1", "a2"], True),
        ("ForAllValues:StringLike", ["a*"], ["a1", "b2"], False),
    ],
)
def test_conditions_hold_as_in_iam(
    operator: str,
    wanted: list[str],
    given: list[str],
    expected: bool,  # noqa: FBT001 - a column
) -> None:
    access = Access(SEND.action, QUEUE, tuple(("AWS:Key", value) for value in given))
    assert is_allowed(access, [conditional(operator, "aws:key", *wanted)]) is expected


def test_all_lines_of_a_condition_must_hold() -> None:
    both = statement(condition={"StringEquals": {"a": "1", "b": "2"}})
    assert not is_allowed(Access(SEND.action, QUEUE, (("a", "1"),)), [both])
    assert is_allowed(Access(SEND.action, QUEUE, (("a", "1"), ("b", "2"))), [both])


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        ({"NotAction": "sqs:*", "Effect": "Allow", "Resource": "*"}, ValueError),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${x}"}, ValueError),
        (
            {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
            },
            KeyError,
        ),
    ],
)
def test_what_the_evaluator_does_not_know_is_an_error(
    raw: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        is_allowed(Access("s3:GetObject", "arn:aws:s3:::b/k"), [Statement.of(raw)])


def test_the_smallest_parts_of_a_statement_grant_the_same_together() -> None:
    whole = statement(
        ["sqs:SendMessage", "sqs:DeleteMessage"],
        [QUEUE, f"{QUEUE}2"],
        condition={"StringEquals": {"a": ["1", "2"], "b": "3"}},
    )
    parts = list(whole.grants())

    assert len(parts) == 8
    for access in (
        Access("sqs:DeleteMessage", f"{QUEUE}2", (("a", "2"), ("b", "3"))),
        Access("sqs:SendMessage", QUEUE, (("a", "1"), ("b", "3"))),
    ):
        assert [is_allowed(access, [part]) for part in parts].count(True) == 1
    assert not is_allowed(Access("sqs:SendMessage", QUEUE, (("a", "1"),)), parts)
