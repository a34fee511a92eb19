"""`python -m runtime_image.dispatcher.model_credentials`: serve credentials until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys

from penstock.contracts.environments import ModelCredentialsEnvironment
from penstock.contracts.errors import SettingsError
from runtime_image.dispatcher.model_credentials.running import run
from runtime_image.dispatcher.observability.logs import log_as_json

logger = logging.getLogger("runtime_image.dispatcher.model_credentials")


async def _main(environment: ModelCredentialsEnvironment) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(environment, stop)


def main() -> None:
    """Run until stopped; exit 2 when the environment is wrong."""
    log_as_json(os.environ.get("LOG_LEVEL", "INFO"))
    try:
        environment = ModelCredentialsEnvironment.read()
    except SettingsError as error:
        logger.critical("environment refused", extra={"reason": str(error)})
        sys.exit(2)
    asyncio.run(_main(environment))


if __name__ == "__main__":
    main()
