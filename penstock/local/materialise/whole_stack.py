"""A whole stack in the emulated AWS: what the program declares, and what it leaves to others."""

from infra.artifacts.artifacts import Artifacts
from infra.settings.stack_settings import StackSettings
from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.caller_places import make_caller_places
from penstock.local.materialise.program import Materialised, run_program
from penstock.local.materialise.resources.functions import FUNCTION, await_started


def declare_stack(settings: StackSettings, artifacts: Artifacts, aws: EmulatedAws) -> Materialised:
    """Make the stack in this thread, which must have no event loop, and return what it became.

    Raises:
        MaterialiseError: the local stack cannot hold it, or a function does not start.
    """
    from infra.program import declare  # noqa: PLC0415 - takes seconds; imported in a thread before

    made = run_program(
        lambda: declare(settings, artifacts),
        aws,
        project="penstock",
        stack=settings.environment,
    )
    make_caller_places(aws, settings)
    await_started(aws, made.of_type(FUNCTION))
    return made
