"""Holding tenants to their limits."""

import pytest

from functions.intake.admission import Admission
from functions.intake.service import IntakeService
from penstock.adapters.in_memory import InMemoryRateLimit
from penstock.contracts.errors import RateLimitedError, UnavailableError
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import Tenant
from penstock.contracts.submission import Submission
from tests.unit.functions.world import ACME, OCR, World

OTHER = Tenant("other")
A_FAULT = Fault(code=FaultCode.MODEL_UNAVAILABLE, message="not started in time")
THROTTLED = UnavailableError("count", "throttled")


def admission(world: World, *, rate: int = 0, outstanding: int = 0) -> Admission:
    limit = InMemoryRateLimit(rate, world.clock)
    return Admission(
        rate=world.faults.around("rate", limit) if rate else None,
        requests=world.faults.around("requests", world.requests),
        outstanding_limit=outstanding,
        clock=world.clock,
    )


def accept_until_refused(world: World, limits: Admission, tenant: Tenant = ACME) -> int:
    service = IntakeService(
        catalog=world.catalog,
        requests=world.requests,
        payloads=world.payloads,
        queue_of=world.queue_of,
        clock=world.clock,
        admission=limits,
    )
    accepted = 0
    while accepted < 100:
        try:
            service.accept(Submission(tenant=tenant, payload=b"1"), OCR)
        except RateLimitedError:
            break
        accepted += 1
    return accepted


def test_without_limits_everything_is_admitted(world: World) -> None:
    assert accept_until_refused(world, admission(world)) == 100


def test_a_tenant_that_sends_too_fast_is_told_to_come_again(world: World) -> None:
    limits = admission(world, rate=5)
    assert accept_until_refused(world, limits) == 5
    assert accept_until_refused(world, limits, OTHER) == 5
    with pytest.raises(RateLimitedError, match="more than 5 requests per second") as refusal:
        limits.admit(ACME)
    assert refusal.value.retry_after_seconds == 1
    world.clock.advance(1)
    assert accept_until_refused(world, limits) == 5


def test_a_tenant_with_too_much_outstanding_waits_for_its_ends(world: World) -> None:
    limits = admission(world, outstanding=4)
    assert accept_until_refused(world, limits) == 4
    assert accept_until_refused(world, limits, OTHER) == 4
    with pytest.raises(RateLimitedError, match="4 requests are outstanding") as refusal:
        limits.admit(ACME)
    assert refusal.value.retry_after_seconds > 1

    world.clock.advance(600)
    expired = [row for row in world.requests.due(100) if row.tenant == ACME][:3]
    for row in expired:
        world.requests.expire(row.request_id, A_FAULT)
    assert accept_until_refused(world, limits) == 3


def test_outstanding_requests_are_counted_again_after_a_while(world: World) -> None:
    limits = admission(world, outstanding=2)
    world.faults.fail("requests.count_open", THROTTLED)
    with pytest.raises(UnavailableError):
        limits.admit(ACME)
    limits.admit(ACME)
    limits.admit(ACME)  # neither was accepted in the end
    with pytest.raises(RateLimitedError):
        limits.admit(ACME)
    world.clock.advance(3)
    limits.admit(ACME)


def test_a_limit_that_cannot_be_looked_up_admits_nobody(world: World) -> None:
    limits = admission(world, rate=5)
    world.faults.fail("rate.take", THROTTLED)
    with pytest.raises(UnavailableError):
        limits.admit(ACME)
