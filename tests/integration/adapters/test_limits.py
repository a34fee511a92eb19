"""How much one tenant may ask of the stack, whatever the family."""

import pytest

from penstock.adapters.aws.clients import client
from penstock.contracts.errors import RateLimitedError
from penstock.contracts.request import Tenant
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import REQUESTS_PER_SECOND

ACME, OTHER = Tenant("acme"), Tenant("other")


def test_a_tenant_may_ask_so_often_each_second(ports: Ports) -> None:
    for _ in range(2):
        for _ in range(REQUESTS_PER_SECOND):
            ports.rate_limit.take(ACME)
        with pytest.raises(RateLimitedError, match="more than 3 requests per second") as refusal:
            ports.rate_limit.take(ACME)
        assert refusal.value.retry_after_seconds == 1
        ports.rate_limit.take(OTHER, REQUESTS_PER_SECOND)
        ports.clock.advance(1)


def test_a_batch_counts_whole_or_not_at_all(ports: Ports) -> None:
    ports.rate_limit.take(ACME, 2)
    with pytest.raises(RateLimitedError):
        ports.rate_limit.take(ACME, 2)
    ports.rate_limit.take(ACME, 1)
    with pytest.raises(RateLimitedError):
        ports.rate_limit.take(OTHER, REQUESTS_PER_SECOND + 1)


@pytest.mark.integration
def test_counters_pass_away(aws_ports: Ports) -> None:
    aws_ports.rate_limit.take(ACME)
    (counter,) = client("dynamodb").scan(TableName="limits")["Items"]
    now = int(aws_ports.clock().timestamp())
    assert counter["window"] == {"S": f"acme#requests#{now}"}
    assert int(counter["purge_at"]["N"]) == now + 300
