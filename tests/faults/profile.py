"""How long the suite runs: `PENSTOCK_FAULT_PROFILE` is `short` (in `make test`) or `long`."""

import os
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings

_COMMON = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    # A failure is shown as found: shrinking a whole stack takes longer than reading it.
    phases=[Phase.explicit, Phase.generate],
)


@dataclass(frozen=True)
class Profile:
    """The sizes of one kind of run."""

    name: str
    machine: settings
    least_steps: int
    crashes_in_pairs: bool
    chaos_requests: int
    chaos_seconds: float


SHORT = Profile(
    name="short",
    # The same interleavings each time: `make test` fails for a change, not by chance.
    machine=settings(_COMMON, max_examples=60, stateful_step_count=60, derandomize=True),
    least_steps=2_000,
    crashes_in_pairs=False,
    chaos_requests=150,
    chaos_seconds=3,
)

_LONG = Profile(
    name="long",
    machine=settings(_COMMON, max_examples=2_000, stateful_step_count=80),
    least_steps=100_000,
    crashes_in_pairs=True,
    chaos_requests=1_500,
    chaos_seconds=45,
)

PROFILE = {"short": SHORT, "long": _LONG}[os.environ.get("PENSTOCK_FAULT_PROFILE", "short")]
