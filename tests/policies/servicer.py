"""Drives the pack as Pulumi does: through its own servicer, with what goes over the wire."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import pulumi
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, deserialize, policy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.guardrails.pack import POLICIES, Policy
from tests.infra.recording import Declared, Registered

UNKNOWN = UNKNOWN_STRING_VALUE
"""What the engine sends for a value that only `pulumi up` knows."""

_LEVELS = {level: name.lower() for name, level in proto.EnforcementLevel.items()}


class Given(NamedTuple):
    """A resource as the engine tells policies about it."""

    type: str
    name: str
    props: Mapping[str, Any]
    """Its inputs."""

    outputs: Mapping[str, Any] | None = None
    """What policies about the stack see; the inputs where there is nothing more."""

    origins: Mapping[str, frozenset[str]] = {}
    """By property: the URNs of the resources that it was made of."""

    is_protected: bool = False
    stack: str = "production"
    provider: Mapping[str, Any] = {}
    registered_urn: str | None = None

    @property
    def urn(self) -> str:
        return self.registered_urn or f"urn:pulumi:{self.stack}::penstock::{self.type}::{self.name}"


class Finding(NamedTuple):
    """What the pack holds against a program."""

    policy: str
    resource: str
    text: str
    level: str


class Pack:
    """The pack behind its servicer."""

    def __init__(
        self,
        policies: Sequence[Policy] = POLICIES,
        config: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        servicer = policy._PolicyAnalyzerServicer  # noqa: SLF001 - what the CLI talks to
        self._servicer = cast(
            "Any", servicer("penstock", "0.0.1", list(policies), EnforcementLevel.MANDATORY)
        )
        levels = {p.name: p.enforcement_level for p in policies}
        request = proto.ConfigureAnalyzerRequest()
        for name, settings in (config or {}).items():
            level = settings.get("enforcementLevel", (levels[name] or EnforcementLevel.MANDATORY))
            # The CLI sends a level with every config, the policy's own if none is given.
            request.policyConfig[name].enforcementLevel = proto.EnforcementLevel.Value(
                getattr(level, "name", str(level).upper())
            )
            properties = {k: v for k, v in settings.items() if k != "enforcementLevel"}
            request.policyConfig[name].properties.update(properties)
        self._servicer.Configure(request, None)

    def findings(self, resources: Iterable[Given]) -> list[Finding]:
        """Return all findings, about single resources and about the stack."""
        given = list(resources)
        names = {resource.urn: resource.name for resource in given}
        stack = proto.AnalyzeStackRequest(resources=[_stack_resource(r) for r in given])
        return [
            *(
                _finding(diagnostic, resource.name)
                for resource in given
                for diagnostic in self._servicer.Analyze(_request(resource), None).diagnostics
            ),
            *(
                _finding(diagnostic, names.get(diagnostic.urn, ""))
                for diagnostic in self._servicer.AnalyzeStack(stack, None).diagnostics
            ),
        ]

    def remedied(self, resource: Given) -> list[Any]:
        """Return what each remediation would change the properties to, as sent back."""
        return list(self._servicer.Remediate(_request(resource), None).remediations)


def as_given(declared: Declared) -> list[Given]:
    """Return what a program declared as the engine would tell it."""
    providers = {r.urn: r.inputs for r in declared if r.type.startswith("pulumi:providers:")}
    return [_as_given(resource, providers) for resource in declared]


def _as_given(resource: Registered, providers: Mapping[str, Mapping[str, Any]]) -> Given:
    urn = resource.provider.rpartition("::")[0]
    return Given(
        type=resource.type,
        name=resource.name,
        props=resource.inputs,
        outputs=resource.outputs,
        origins=resource.origins,
        is_protected=resource.is_protected,
        stack=resource.urn.split(":")[2],
        provider=providers.get(urn, {}),
        registered_urn=resource.urn,
    )


def _request(resource: Given) -> Any:
    return proto.AnalyzeRequest(
        type=resource.type,
        properties=_struct(resource.props),
        urn=resource.urn,
        name=resource.name,
        options=proto.AnalyzerResourceOptions(protect=resource.is_protected),
        provider=_provider(resource),
    )


def _stack_resource(resource: Given) -> Any:
    return proto.AnalyzerResource(
        type=resource.type,
        properties=_struct(resource.props if resource.outputs is None else resource.outputs),
        urn=resource.urn,
        name=resource.name,
        options=proto.AnalyzerResourceOptions(protect=resource.is_protected),
        provider=_provider(resource),
        dependencies=sorted(set().union(*resource.origins.values())),
        propertyDependencies={
            key: proto.AnalyzerPropertyDependencies(urns=sorted(urns))
            for key, urns in resource.origins.items()
        },
    )


def _provider(resource: Given) -> Any:
    kind = f"pulumi:providers:{resource.type.split(':', maxsplit=1)[0]}"
    return proto.AnalyzerProviderResource(
        type=kind, name="provider", properties=_struct(resource.provider)
    )


def _struct(props: Mapping[str, Any]) -> Any:
    struct = proto.AnalyzeRequest().properties
    struct.update(deserialize.serialize_properties(_on_the_wire(props)))
    return struct


def _on_the_wire(value: Any) -> Any:
    """Return a value with what a preview does not know as the engine would send it."""
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _on_the_wire(part) for key, part in value.items()}
    return [_on_the_wire(part) for part in value] if isinstance(value, list) else value


def _finding(diagnostic: Any, resource: str) -> Finding:
    text = diagnostic.message.removeprefix(f"{diagnostic.description}\n")
    return Finding(diagnostic.policyName, resource, text, _LEVELS[diagnostic.enforcementLevel])
