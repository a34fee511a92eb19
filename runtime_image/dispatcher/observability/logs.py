"""JSON logs: one event per line, with its keys."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from runtime_image.dispatcher.observability.correlation import CorrelationFilter


def log_as_json(level: str = "INFO") -> None:
    """Send every log record to standard output as one JSON object."""
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(CorrelationFilter())
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger", "message": "event"},
            timestamp=True,
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
