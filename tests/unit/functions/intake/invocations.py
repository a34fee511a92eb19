"""What serves invocations, over the world in memory."""

from dataclasses import dataclass, field

from functions.identification import Identification
from functions.intake.sagemaker import Invocations
from functions.intake.service import IntakeService
from penstock.adapters.in_memory import InMemoryApiKeyStore
from penstock.contracts.directory.access_key import issue_access_key
from tests.unit.functions.world import ACME, World

MASTER_SECRET = b"master-secret-of-32-or-more-bytes"


@dataclass
class AccessKeys:
    """Keys of `acme`, and the secret that theirs are derived from."""

    world: World
    store: InMemoryApiKeyStore = field(default_factory=InMemoryApiKeyStore)
    master_secret: bytes = MASTER_SECRET

    def issue(self) -> tuple[str, str]:
        """Return id and secret of a new key."""
        row, secret = issue_access_key(ACME, self.world.clock(), self.master_secret)
        self.store.put(row)
        return row.prefix, secret

    def identification(self) -> Identification:
        return Identification(
            keys=self.store, master_secret=lambda: self.master_secret, clock=self.world.clock
        )


def invocations(
    world: World, service: IntakeService, keys: AccessKeys | None = None
) -> Invocations:
    keys = keys or AccessKeys(world)
    return Invocations(
        service=service,
        identification=keys.identification(),
        results_bucket="results",
        count=world.count,
    )
