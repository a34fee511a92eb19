"""The web application firewall in front of the API."""

from typing import Annotated

from pydantic import Field

from infra.settings.settings import Settings


class FirewallSettings(Settings):
    """AWS WAF: refuses what AWS knows to be hostile, and callers who call too often.

    It costs 9 USD a month and 0.60 USD for a million calls.
    """

    calls_per_address: Annotated[int, Field(ge=10, le=2_000_000_000)] = 10_000
    """Calls from one IP address within five minutes; more are answered 429 until there are fewer.
    Callers behind one NAT gateway share an address."""

    only_counts: bool = False
    """Whether what it would refuse is let through and only counted, as a trial."""
