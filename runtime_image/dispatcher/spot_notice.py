"""The two-minute notice before EC2 takes a spot instance back, from the instance metadata.

Pods reach the metadata service only where the node's hop limit is 2; the nodes of this project
have 1, and EKS drains them on the same notice, so this watch is off unless asked for.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import datetime

import aiohttp

from penstock.contracts.ports.clock import Clock, utc_now

logger = logging.getLogger(__name__)

_POLL_SECONDS = 5
_MARGIN_SECONDS = 10
"""Kept of the notice for giving back what does not fit."""

_TOKEN_HEADERS = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}


async def watch_spot_notice(
    drain_within: Callable[[float], None],
    *,
    clock: Clock = utc_now,
    poll_seconds: float = _POLL_SECONDS,
) -> None:
    """Call `drain_within` once with the seconds that are left when the notice comes."""
    endpoint = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")
    timeout = aiohttp.ClientTimeout(total=2)
    async with aiohttp.ClientSession(endpoint, timeout=timeout) as metadata:
        while True:
            try:
                ends_at = await _interruption(metadata)
            except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
                logger.warning("spot notice not read", extra={"reason": str(error)})
                ends_at = None
            if ends_at is not None:
                left = (ends_at - clock()).total_seconds() - _MARGIN_SECONDS
                logger.warning("spot notice", extra={"seconds_left": left})
                drain_within(left)
                return
            await asyncio.sleep(poll_seconds)


async def _interruption(metadata: aiohttp.ClientSession) -> datetime | None:
    """Return when the instance goes, or `None` while no notice was given (404)."""
    async with metadata.put("/latest/api/token", headers=_TOKEN_HEADERS) as answer:
        answer.raise_for_status()
        token = await answer.text()
    headers = {"X-aws-ec2-metadata-token": token}
    async with metadata.get("/latest/meta-data/spot/instance-action", headers=headers) as answer:
        if answer.status == 404:  # noqa: PLR2004 - HTTP
            return None
        answer.raise_for_status()
        notice = await answer.json(content_type=None)
    return datetime.fromisoformat(notice["time"])
