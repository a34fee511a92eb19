"""Starts a whole stack, keeps it running until told to stop, and leaves nothing behind."""

import asyncio
import contextlib
import gc
import importlib
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from infra.settings.stack_settings import StackSettings
from penstock.adapters.aws.directory import DynamoApiKeyStore
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import Tenant
from penstock.contracts.stack.local_stack import LocalStack
from penstock.contracts.stack.stack_outputs import StackOutputs
from penstock.local.building import Built, build
from penstock.local.emulator import Emulator, EmulatorError, Interpreter
from penstock.local.faults import explained
from penstock.local.front import Front
from penstock.local.materialise.program import Materialised
from penstock.local.materialise.resources.cluster import (
    CONFIG_MAP,
    DEPLOYMENT,
    IMAGE,
    SCALED_OBJECT,
)
from penstock.local.materialise.resources.schedules import SCHEDULE, Schedule
from penstock.local.materialise.whole_stack import declare_stack
from penstock.local.pods.events import EventLog
from penstock.local.pods.images.images import images_by_reference
from penstock.local.pods.launcher import Launcher
from penstock.local.pods.scaler import DeploymentScaler
from penstock.local.pods.workload import Workload, WorkloadError
from penstock.local.processes import end_marked
from penstock.local.runnable import check_runnable
from penstock.local.state import StackEnd, StackStatus, StateFolder
from penstock.local.supervisor import take_over

TENANT = Tenant("local")
"""Whose key a local stack starts with."""

_GRACE_SECONDS = 3.0
"""When the stack ends its queues end with it; there is nothing to drain for."""

_STATUS_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What `penstock local up` was asked for."""

    settings_file: Path
    state: StateFolder
    port: int = 0
    """Where the API is served; 0 is any free port."""

    workers_aws_url: str | None = None
    """Where workers find AWS, if not at the emulator itself: tests stand in between."""

    launcher: Callable[..., Launcher] = Launcher
    """What starts containers: as processes of this machine, if not from built images."""


def run_stack(
    options: StackOptions, say: Callable[[str], None], ready: Callable[[LocalStack], None]
) -> None:
    """Run a stack until SIGINT or SIGTERM.

    Raises:
        PenstockError: it could not be started, or broke; the text says why.
    """
    take_over(options.state)
    end = _end("it was told to stop", has_failed=False)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(_run(options, say, ready))
    except BaseException as error:
        end = _end(explained(error), has_failed=True)
        raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # what is left of the way out is short
        end_marked(options.state.path, _GRACE_SECONDS)
        options.state.forget()
        options.state.write(options.state.end, end.model_copy(update={"at": utc_now()}))


def _end(reason: str, *, has_failed: bool) -> StackEnd:
    return StackEnd(at=utc_now(), reason=reason, has_failed=has_failed)


async def _run(
    options: StackOptions, say: Callable[[str], None], ready: Callable[[LocalStack], None]
) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: task and task.cancel())
    async with AsyncExitStack() as running:
        with _no_search_for_garbage():
            stack = await _started(options, say, running)
        stack.tell_status()
        options.state.write(options.state.running_stack, stack.description)
        ready(stack.description)
        await stack.keep_running()


@contextlib.contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Starting makes a million objects that stay; to look through them again and again takes 1.5 s.

    What stays is never looked through afterwards either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """What was started."""

    description: LocalStack
    state: StateFolder
    emulator: Emulator
    models: tuple[str, ...]
    scalers: tuple[DeploymentScaler, ...]
    schedules: tuple[Schedule, ...]

    def tell_status(self) -> None:
        """Write down how things are."""
        deployments = tuple(scaler.status for scaler in self.scalers)
        status = StackStatus(models=self.models, deployments=deployments)
        self.state.write(self.state.status, status)

    async def keep_running(self) -> None:
        """Scale, call and tell until cancelled, or until a part that all need is gone."""
        aws = self.emulator.aws()
        await asyncio.gather(
            self._keep_telling(),
            self._need_emulator(),
            *(scaler.run() for scaler in self.scalers),
            *(schedule.follow(aws) for schedule in self.schedules),
        )

    async def _keep_telling(self) -> None:
        while True:
            self.tell_status()
            await asyncio.sleep(_STATUS_SECONDS)

    async def _need_emulator(self) -> None:
        status = await self.emulator.child.ended()
        raise EmulatorError(f"MiniStack ended with status {status}; see {self.emulator.child.log}")


async def _started(
    options: StackOptions, say: Callable[[str], None], running: AsyncExitStack
) -> _Stack:
    settings = StackSettings.read(options.settings_file)
    notes = await asyncio.to_thread(check_runnable, settings)
    say("starting MiniStack; building functions and models")
    (emulator, built), _ = await asyncio.gather(
        _parts(settings, options.state, running),
        # Pulumi's providers take two seconds to import; here they are spent beside the others.
        asyncio.to_thread(importlib.import_module, "infra.program"),
    )
    say("declaring the stack")
    made = await asyncio.to_thread(declare_stack, settings, built.artifacts, emulator.aws())
    say("starting the API and the scalers")
    scalers = _scalers(made, replace(built, notes=notes), emulator, options, running)
    front = Front(made.exports["api_url"])
    running.push_async_callback(front.stop)
    url = await front.start(options.port)
    outputs = StackOutputs.model_validate({**made.exports, "api_url": url})
    description = LocalStack(
        outputs=outputs,
        aws_endpoint_url=emulator.endpoint_url,
        api_key=await asyncio.to_thread(_new_key, outputs.api_keys_table, emulator),
        front_url=url,
    )
    return _Stack(
        description=description,
        state=options.state,
        emulator=emulator,
        models=tuple(settings.models),
        scalers=scalers,
        schedules=tuple(map(Schedule.of, made.of_type(SCHEDULE))),
    )


async def _parts(
    settings: StackSettings, state: StateFolder, running: AsyncExitStack
) -> tuple[Emulator, Built]:
    interpreter = await Interpreter.find()
    return await asyncio.gather(
        _emulator(interpreter, settings.region, state, running),
        build(settings, Path(interpreter.executable)),
    )


async def _emulator(
    interpreter: Interpreter, region: str, state: StateFolder, running: AsyncExitStack
) -> Emulator:
    emulator = await Emulator.start(interpreter, region, state)
    running.push_async_callback(emulator.child.stop, _GRACE_SECONDS)
    return emulator


def _scalers(
    made: Materialised,
    built: Built,
    emulator: Emulator,
    options: StackOptions,
    running: AsyncExitStack,
) -> tuple[DeploymentScaler, ...]:
    images = images_by_reference(made.of_type(IMAGE), built.root, built.models)
    environment = emulator.environment()
    if options.workers_aws_url is not None:
        environment["AWS_ENDPOINT_URL"] = options.workers_aws_url
    launcher = options.launcher(
        images=images,
        config_maps={
            found["metadata"]["name"]: found["data"] for found in made.of_type(CONFIG_MAP)
        },
        aws_environment=environment,
        state=options.state,
        known_notes=built.notes,
    )
    events = EventLog(options.state.events)
    running.callback(events.close)
    aws = emulator.aws()
    scaled = {
        found["spec"]["scaleTargetRef"]["name"]: found for found in made.of_type(SCALED_OBJECT)
    }
    scalers = []
    for workload in map(Workload.of, made.of_type(DEPLOYMENT)):
        if workload.name not in scaled:
            raise WorkloadError(f"deployment {workload.name}: no ScaledObject names it")
        scaler = DeploymentScaler(workload, scaled[workload.name]["spec"], launcher, aws, events)
        scalers.append(scaler)
    running.push_async_callback(_stop, scalers)
    return tuple(scalers)


async def _stop(scalers: Sequence[DeploymentScaler]) -> None:
    stopping = [scaler.stop(_GRACE_SECONDS) for scaler in scalers]
    await asyncio.gather(*stopping, return_exceptions=True)


def _new_key(table: str, emulator: Emulator) -> str:
    key, secret = ApiKey.issue(TENANT, utc_now(), name="penstock local up")
    DynamoApiKeyStore(table, emulator.aws().dynamodb).put(key)
    return secret
