"""How much one tenant may ask of the stack."""

from typing import Protocol

from penstock.contracts.request import Tenant


class RateLimit(Protocol):
    """Requests per second of each tenant, counted over all functions. Raises `UnavailableError`."""

    def take(self, tenant: Tenant, count: int = 1) -> None:
        """Count requests about to be accepted.

        Raises:
            RateLimitedError: the tenant asked for more than its rate.
        """
        ...
