"""The HTTP API and what stands in front of it."""

from typing import Annotated

from pydantic import Field

from infra.settings.api.domain import DomainSettings
from infra.settings.api.firewall import FirewallSettings
from infra.settings.settings import Settings


class ApiSettings(Settings):
    """The HTTP API."""

    domain: DomainSettings | None = None
    """A domain name of yours; absent: the address that AWS gives."""

    firewall: FirewallSettings | None = None
    """AWS WAF in front of the API; absent: none."""

    rate_per_second: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Calls per second in the long run, over all callers; more are answered 429."""

    burst: Annotated[int, Field(ge=1, le=5_000)] = 400
    """Calls that may come at once."""

    max_payload_bytes: Annotated[int, Field(ge=1_024, le=4_456_448)] = 262_144
    """The largest body that is accepted; larger inputs are uploaded to S3. Lambda takes events of
    6 MiB, and API Gateway puts the body into one as base64, which is a third longer."""

    snap_start: bool = False
    """Whether the functions behind the API start from snapshots of themselves, in tenths of a
    second instead of about one. AWS charges for keeping each version's snapshot while it is
    published, and for each start from one."""

    sets_account_log_role: bool = True
    """Whether this stack sets the role with which API Gateway writes access logs. There is one
    per account and region: let exactly one stack set it."""
