"""How long a loop of the worker survives errors that nobody foresaw."""

import asyncio
import logging
from types import TracebackType

from penstock.contracts.errors import UnavailableError

logger = logging.getLogger(__name__)

_LONGEST_SECONDS = 300.0
"""An error that has been the only outcome for so long is a mistake in the program or its rights."""


def _now() -> float:
    return asyncio.get_running_loop().time()


class Endurance:
    """Lets a loop go on after an error; the leases decide meanwhile what the worker keeps.

    Used as a context around one call. One error, whatever it is, must not interrupt everything
    that runs here. One that never goes away ends the process: Kubernetes shows it, and starts
    another.
    """

    def __init__(self, event: str) -> None:
        """Name the log event of a failure."""
        self._event = event
        self._failing_since: float | None = None

    def __enter__(self) -> None:
        """Begin a call."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Note what became of the call; return whether its error is survived."""
        if error is None:
            self._failing_since = None
            return False
        if isinstance(error, UnavailableError):  # AWS says when it is back
            self._failing_since = None
            logger.warning(self._event, extra={"reason": str(error)})
            return True
        if not isinstance(error, Exception):
            return False
        now = _now()
        if self._failing_since is None:
            self._failing_since = now
        logger.error(self._event, exc_info=error)
        return now - self._failing_since < _LONGEST_SECONDS
