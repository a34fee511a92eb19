"""Credentials of a role, assumed again before they expire."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from penstock.contracts.errors import PenstockError
from penstock.contracts.ports.clock import Clock, utc_now
from penstock.contracts.ports.model_role import ModelRole, RoleCredentials

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0


class NoCredentialsError(PenstockError):
    """There are none; the text says why."""


@dataclass
class KeptCredentials:
    """The newest credentials of a role.

    SDKs ask for others from 15 minutes before the end on, so ours are replaced at half-time.
    """

    role: ModelRole
    clock: Clock = utc_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _newest: RoleCredentials | None = field(default=None, init=False)
    _reason: str = field(default="", init=False)
    _was_assumed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def keep(self) -> None:
        """Assume the role whenever that is due, until cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                self._newest = await asyncio.to_thread(self.role)
            except Exception as error:  # noqa: BLE001 - whatever it is, the model must hear of it
                self._reason = str(error)
                logger.warning("role of the model not assumed", extra={"reason": self._reason})
                wait, pause = pause, min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                left = (self._newest.expires_at - self.clock()).total_seconds()
                wait, pause = max(left / 2, _FIRST_PAUSE_SECONDS), _FIRST_PAUSE_SECONDS
            self._was_assumed.set()
            await self.sleep(wait)

    async def current(self) -> RoleCredentials:
        """Return credentials that have not expired.

        Raises:
            NoCredentialsError: the role could not be assumed.
        """
        await self._was_assumed.wait()
        if self._newest is None or self._newest.expires_at <= self.clock():
            raise NoCredentialsError(self._reason)
        return self._newest
