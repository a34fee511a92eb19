"""Every role may do what is done in its name, and nothing else.

The code of each process runs once over a stack that is declared into moto; each call of botocore
is held against the policies that the program declares. The same is asked of the check itself: it
must report every part of a policy that is taken away, and every right that is added.
"""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore import xform_name

from infra.artifacts.workspace import ROOT
from tests.iam.account import Account
from tests.iam.conformance import Findings, check, described
from tests.iam.documented import documented
from tests.iam.evaluation import Access, Statement, is_allowed
from tests.iam.processes import FUNCTIONS, WORKER, role_of
from tests.iam.recorder import Call

pytestmark = pytest.mark.integration

PROCESSES = (*map(role_of, FUNCTIONS), WORKER)
ROLES = (
    *PROCESSES,
    "functions-sweeper-caller",
    "platform-autoscaler-pod-role",
    "platform-collector-pod-role",
    "platform-keda-operator-role",
    "platform-network-rejected-writer",
)
UNUSED_WRITES = {
    "dynamodb": "dynamodb:DeleteItem",
    "kms": "kms:Encrypt",
    "s3": "s3:PutObjectAcl",
    "sns": "sns:Subscribe",
    "sqs": "sqs:PurgeQueue",
    "sts": "sts:SetSourceIdentity",
}
OF_OPERATORS = {("secretsmanager", "put_secret_value")}
"""What only the command line calls, with the rights of its user."""

_CALL = re.compile(
    r"(?<![a-z])(?P<service>dynamodb|s3|secretsmanager|sns|sqs|sts)\."
    r"(?:(?:get_paginator|generate_presigned_url)\(\s*\"(?P<named>\w+)\"|(?P<called>\w+)\()"
)

Checked = Callable[[str, tuple[Statement, ...]], Findings]


@pytest.fixture(scope="session")
def checked(account: Account, calls: list[Call]) -> Checked:
    """Holds statements against what is done in the name of a role."""
    done: dict[str, set[Access]] = {role: set(documented(account, role)) for role in account.roles}
    for call in calls:
        done[call.process].update(account.surroundings.accesses(call))
    return lambda role, statements: check(account, statements, done[role])


def test_no_role_may_do_more_or_less_than_is_done_in_its_name(
    account: Account, checked: Checked
) -> None:
    findings = {role: checked(role, statements) for role, statements in account.roles.items()}

    assert {role: f.refused for role, f in findings.items() if f.refused} == {}
    assert {role: described(f.idle) for role, f in findings.items() if f.idle} == {}


def test_every_process_was_seen_at_work(account: Account, calls: list[Call]) -> None:
    assert {call.process for call in calls} == set(PROCESSES)
    with_statements = {role for role, statements in account.roles.items() if statements}
    assert set(ROLES) <= with_statements


def test_every_call_that_is_written_in_the_adapters_was_made(calls: list[Call]) -> None:
    """A new call has to be walked through, or nobody would ask whether it is allowed."""
    written = {
        (found["service"], found["named"] or found["called"])
        for module in (ROOT / "penstock/adapters/aws").rglob("*.py")
        for found in _CALL.finditer(module.read_text())
    }
    assert len(written) > 20
    assert written - {(call.service, xform_name(call.operation)) for call in calls} == OF_OPERATORS


@pytest.mark.parametrize("role", ROLES)
def test_whatever_is_taken_from_a_role_is_missed(
    role: str, account: Account, checked: Checked
) -> None:
    grants = [grant for statement in account.roles[role] for grant in statement.grants()]

    for taken in range(len(grants)):
        left = tuple(grant for number, grant in enumerate(grants) if number != taken)
        assert checked(role, left).refused, described([grants[taken]])


@pytest.mark.parametrize("role", ROLES)
def test_an_action_that_is_taken_from_a_statement_is_missed(
    role: str, account: Account, checked: Checked
) -> None:
    statements = account.roles[role]

    for number, statement in enumerate(statements):
        for action in statement.actions:
            left = tuple(each for each in statement.actions if each != action)
            changed = replace(statement, actions=left)
            found = checked(role, (*statements[:number], changed, *statements[number + 1 :]))
            assert found.refused, f"{action} of {described([statement])}"


@pytest.mark.parametrize("role", ROLES)
def test_a_right_that_is_added_to_a_role_is_reported(
    role: str, account: Account, checked: Checked
) -> None:
    statements = account.roles[role]

    for number, statement in enumerate(statements):
        service = statement.actions[0].partition(":")[0]
        added = UNUSED_WRITES.get(service, f"{service}:DeleteEverything")
        changed = replace(statement, actions=(*statement.actions, added))
        found = checked(role, (*statements[:number], changed, *statements[number + 1 :]))
        assert {action for grant in found.idle for action in grant.actions} == {added}


def test_a_place_that_is_added_to_a_role_is_reported(account: Account, checked: Checked) -> None:
    more = Statement.of(
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::elsewhere/*"}
    )
    found = checked(WORKER, (*account.roles[WORKER], more))
    assert found.idle == [more]


def test_resources_refuse_plain_http_even_to_roles_that_may_use_them(
    account: Account, calls: list[Call]
) -> None:
    asked = set[tuple[str, str]]()
    for call in calls:
        for access in account.surroundings.accesses(call):
            service = access.action.partition(":")[0]
            if service not in {"s3", "sns", "sqs"} or ":callers-" in access.resource:
                continue
            unsafe = dict(access.context) | {"aws:SecureTransport": "false"}
            plain = replace(access, context=tuple(unsafe.items()))
            of_role, of_resource = account.roles[call.process], account.policy_of(access.resource)
            assert is_allowed(access, of_role, of_resource)
            assert not is_allowed(plain, of_role, of_resource), access.resource
            asked.add((call.process, service))
    assert len(asked) > len(PROCESSES)
