"""Runs a Pulumi program; each resource it registers is made before the next sees its outputs."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, rpc
from pulumi.runtime.settings import set_root_resource

from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.dispatch import answer_invoke, materialise
from penstock.local.materialise.registration import Made, Registration

Program = Callable[[], Mapping[str, pulumi.Input[Any]]]
"""Declares resources and returns what the stack exports."""


@dataclass
class Materialised:
    """What a program declared, as it now exists."""

    exports: Mapping[str, Any] = field(default_factory=dict)
    _made: dict[str, list[Made]] = field(default_factory=dict)

    def of_type(self, type_: str) -> list[Mapping[str, Any]]:
        """Return the outputs of every resource of one type."""
        return [made.outputs for made in self._made.get(type_, [])]

    def add(self, type_: str, made: Made) -> None:
        """Keep a resource."""
        self._made.setdefault(type_, []).append(made)


def _plain(value: Any) -> Any:  # noqa: ANN401 - inputs are JSON
    """Return an input without the two marks of the wire: secrets, and integers as floats."""
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


class _Materialising(pulumi.runtime.Mocks):
    """Pulumi's own mock runtime, with resources that exist."""

    def __init__(self, aws: EmulatedAws, materialised: Materialised) -> None:
        self._aws = aws
        self._materialised = materialised

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            return args.name, args.inputs
        resource = Registration(args.typ, args.name, _plain(args.inputs))
        made = materialise(self._aws, resource)
        self._materialised.add(args.typ, made)
        return made.id, dict(made.outputs)

    def call(self, args: MockCallArgs) -> dict[str, Any]:  # type: ignore[override]  # failures are raised, not returned
        return answer_invoke(self._aws, args.token, _plain(args.args))


def run_program(program: Program, aws: EmulatedAws, *, project: str, stack: str) -> Materialised:
    """Run `program` in this thread, which must have no event loop, and return what it made.

    Raises:
        MaterialiseError: the local stack cannot hold what the program declares.
    """
    aws.make_clients()  # Pulumi registers resources from several threads
    materialised = Materialised()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # Pulumi works on the thread's
    try:
        # An earlier run's stack would become the parent of this one.
        set_root_resource(None)  # type: ignore[arg-type]  # as Pulumi itself calls it
        mocks = _Materialising(aws, materialised)
        pulumi.runtime.set_mocks(mocks, project=project, stack=stack, preview=False)
        run = pulumi.runtime.test(lambda: _exporting(program, materialised))  # type: ignore[no-untyped-call]  # untyped there
        run()
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return materialised


def _exporting(program: Program, materialised: Materialised) -> pulumi.Output[None]:
    exports = pulumi.Output.all(**program())
    return exports.apply(lambda values: setattr(materialised, "exports", values))
