"""The ports over dictionaries, for tests: time stands still, and calls fail when told to."""

from penstock.adapters.in_memory.dead_letters import InMemoryDeadLetterQueue
from penstock.adapters.in_memory.directory import InMemoryApiKeyStore, InMemoryCatalog
from penstock.adapters.in_memory.fake_clock import FakeClock
from penstock.adapters.in_memory.fault_points import CrashError, FaultPoints
from penstock.adapters.in_memory.limits import InMemoryRateLimit
from penstock.adapters.in_memory.notifications import InMemoryNotifier, InMemorySigningSecrets
from penstock.adapters.in_memory.objects import InMemoryPayloadStore, InMemoryResultStore
from penstock.adapters.in_memory.request_queue import InMemoryRequestQueue
from penstock.adapters.in_memory.request_store import InMemoryRequestStore

__all__ = [
    "CrashError",
    "FakeClock",
    "FaultPoints",
    "InMemoryApiKeyStore",
    "InMemoryCatalog",
    "InMemoryDeadLetterQueue",
    "InMemoryNotifier",
    "InMemoryPayloadStore",
    "InMemoryRateLimit",
    "InMemoryRequestQueue",
    "InMemoryRequestStore",
    "InMemoryResultStore",
    "InMemorySigningSecrets",
]
