"""What happened to the pods, one JSON object a line."""

import json
from datetime import UTC, datetime
from pathlib import Path


class EventLog:
    """Appends events to a file that people and tests read."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", buffering=1)

    def write(self, event: str, **facts: object) -> None:
        """Append one event with the present time."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._file.write(json.dumps({"at": at, "event": event, **facts}) + "\n")

    def close(self) -> None:
        """Stop writing."""
        self._file.close()
