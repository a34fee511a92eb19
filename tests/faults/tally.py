"""What a run of the suite did, in one line and one table."""

import json
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.simulation.fates import FAULTS, Fate
from tests.faults.stack import Stack


@dataclass
class Tally:
    """Counts over all simulated stacks of one run."""

    steps: int = 0
    """Calls let through or failed and things that happened by themselves, without recovery."""

    requests: int = 0
    kills: int = 0
    faults: Counter[tuple[str, Fate]] = field(default_factory=Counter)
    mishaps: Counter[str] = field(default_factory=Counter)
    """What happened that is no failed call: a message twice, a stalled worker, ..."""

    lost: int = 0
    duplicated: int = 0
    undelivered: int = 0

    def count(self, stack: Stack) -> None:
        """Add what one simulated stack saw."""
        self.requests += len(stack.ledger.stories)
        self.kills += stack.kills
        self.lost += len(stack.accounts.lost())
        self.duplicated += len(stack.accounts.duplicated())
        self.undelivered += len(stack.accounts.undelivered())

    @property
    def line(self) -> str:
        injected = sum(self.faults.values()) + sum(self.mishaps.values())
        return (
            f"{self.steps} steps, {self.requests} requests, {self.kills} kills,"
            f" {injected} faults injected, {self.lost} lost,"
            f" {self.duplicated} duplicated effects, {self.undelivered} undelivered"
        )

    def as_json(self) -> str:
        """Return all counts, for `tests.faults.report`."""
        counts = {
            "line": self.line,
            "calls": {
                call: {fate: self.faults[call, fate] for fate in FAULTS}
                for call in sorted({call for call, _ in self.faults})
            },
            "mishaps": dict(sorted(self.mishaps.items())),
        }
        return json.dumps(counts, indent=2)
