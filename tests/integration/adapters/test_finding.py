"""Requests found by their callers' ids, many at once, and page by page."""

import base64
import json

import pytest

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import UNKNOWN_ID, a_request

ACME, OTHER = Tenant("acme"), Tenant("other")


def accepted(ports: Ports, number: int, **changes: object) -> AsyncRequest:
    """Accept a row; each is a second newer than the one before."""
    ports.clock.advance(1)
    row = a_request(ports.clock(), request_id=RequestId(f"{number:032x}"), **changes)
    ports.requests.accept(row)
    return row


def test_many_rows_are_found_at_once(ports: Ports) -> None:
    rows = {row.request_id: row for row in (accepted(ports, number) for number in range(103))}
    assert ports.requests.find_many([*rows, UNKNOWN_ID, *rows]) == rows
    assert ports.requests.find_many([]) == {}


def test_the_newest_of_a_callers_id_is_found(ports: Ports) -> None:
    accepted(ports, 1, caller_id="order-7")
    newest = accepted(ports, 2, caller_id="order-7")
    accepted(ports, 3, caller_id="order-8")
    accepted(ports, 4, caller_id="order-7", tenant=OTHER)

    assert ports.requests.find_by_caller_id(ACME, "order-7") == newest
    assert ports.requests.find_by_caller_id(ACME, "order-9") is None


def test_tenant_and_callers_id_are_kept_apart(ports: Ports) -> None:
    row = accepted(ports, 1, tenant=Tenant('a", "b'), caller_id="c")
    assert ports.requests.find_by_caller_id(Tenant("a"), 'b", "c') is None
    assert ports.requests.find_by_caller_id(row.tenant, "c") == row


def test_a_row_is_found_as_it_is_now(ports: Ports) -> None:
    row = accepted(ports, 1, caller_id="order-7")
    held = ports.requests.claim(row.request_id, "worker", 30)
    assert ports.requests.find_by_caller_id(ACME, "order-7") == held
    assert ports.requests.list_page(ACME, "v1", limit=1).requests == [held]


def test_a_list_has_every_row_once_newest_first(ports: Ports) -> None:
    rows = [accepted(ports, number) for number in range(7)]
    accepted(ports, 8, deployment_id="v2")
    accepted(ports, 9, tenant=OTHER)

    first = ports.requests.list_page(ACME, "v1", limit=3)
    second = ports.requests.list_page(ACME, "v1", limit=3, after=first.next)
    third = ports.requests.list_page(ACME, "v1", limit=3, after=second.next)
    listed = [*first.requests, *second.requests, *third.requests]
    assert listed == rows[::-1]
    assert third.next is None


def test_a_page_that_holds_all_has_no_next(ports: Ports) -> None:
    rows = [accepted(ports, number) for number in range(3)]
    page = ports.requests.list_page(ACME, "v1", limit=3)
    assert (page.requests, page.next) == (rows[::-1], None)
    empty = ports.requests.list_page(OTHER, "v1", limit=3)
    assert (empty.requests, empty.next) == ([], None)


def _next_of(ports: Ports, tenant: Tenant) -> str:
    following = ports.requests.list_page(tenant, "v1", limit=1).next
    assert following is not None
    return following


def test_the_next_of_another_list_is_refused(ports: Ports) -> None:
    for number, tenant in enumerate([ACME, ACME, OTHER, OTHER]):
        accepted(ports, number, tenant=tenant)
    with pytest.raises(InvalidSubmissionError, match="next: "):
        ports.requests.list_page(ACME, "v1", limit=1, after=_next_of(ports, OTHER))


def _token(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


LISTED = '["acme", "v1"]'


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "ünlesbar",
        base64.urlsafe_b64encode(b"\xff").decode(),
        _token(),
        _token(LISTED, 1),
        _token(LISTED, "soon", "0" * 32),
        _token(LISTED, 10**40, "0" * 32),
        _token(LISTED, -1, "0" * 32),
        _token(LISTED, 1, ""),
        _token(LISTED, 1, "0" * 32, "more"),
    ],
)
def test_what_no_page_ended_with_is_refused(ports: Ports, after: str) -> None:
    with pytest.raises(InvalidSubmissionError, match="next: it is not that of an earlier page"):
        ports.requests.list_page(ACME, "v1", limit=1, after=after)
