"""`python -m runtime_image.dispatcher`: serve one deployment until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys

from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.errors import SettingsError
from runtime_image.dispatcher.observability.logs import log_as_json
from runtime_image.dispatcher.process import Drain
from runtime_image.dispatcher.wiring import run

logger = logging.getLogger("runtime_image.dispatcher")


async def _main(environment: DispatcherEnvironment) -> None:
    drain = Drain(environment.drain_seconds)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain.request)
    await run(environment, drain)


def main() -> None:
    """Run until stopped; exit 0 after a drain, 2 when the environment is wrong."""
    log_as_json(os.environ.get("LOG_LEVEL", "INFO"))
    try:
        environment = DispatcherEnvironment.read()
    except SettingsError as error:
        logger.critical("environment refused", extra={"reason": str(error)})
        sys.exit(2)
    asyncio.run(_main(environment))


if __name__ == "__main__":
    main()
