"""Runs a Pulumi program without an engine and remembers every registration as it goes out."""

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import set_root_resource
from pulumi.runtime.sync_await import _ensure_event_loop

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Registered:
    """A resource as the engine would see it."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    parent: str
    provider: str
    depends_on: frozenset[str]
    origins: dict[str, frozenset[str]]
    """By input: the resources whose outputs it was made of."""

    ignored_changes: tuple[str, ...]
    secrets: frozenset[str]
    """The inputs that are kept encrypted."""

    is_component: bool
    is_protected: bool

    def policy(self, key: str = "policy") -> list[dict[str, Any]]:
        """Return the statements of an IAM policy."""
        statements: list[dict[str, Any]] = json.loads(self.inputs[key])["Statement"]
        return statements


@dataclass(frozen=True)
class Declared:
    """What a program declared, and what it returned."""

    resources: tuple[Registered, ...]
    outputs_of_components: dict[str, dict[str, Any]]
    """What components registered as their outputs, by URN."""

    returned: Any = None

    def of_type(self, kind: str) -> list[Registered]:
        """Return the resources whose type ends with `kind`, such as `sqs/queue:Queue`."""
        return [resource for resource in self.resources if resource.type.endswith(kind)]

    def named(self, name: str, kind: str) -> Registered:
        """Return the one resource of this name and type."""
        found = [resource for resource in self.of_type(kind) if resource.name == name]
        names = sorted(resource.name for resource in self.of_type(kind))
        assert len(found) == 1, f"{len(found)} {kind} are named {name}; there are {names}"
        return found[0]

    def by_output(self, kind: str, key: str, value: str) -> Registered:
        """Return the one resource of this type whose output `key` is `value`."""
        found = [r for r in self.of_type(kind) if r.outputs.get(key) == value]
        assert len(found) == 1, f"{len(found)} {kind} have {key} {value}"
        return found[0]

    def __iter__(self) -> Iterator[Registered]:
        return iter(self.resources)


class CloudMocks(pulumi.runtime.Mocks):
    """Answers as AWS would: with an ARN, a name and whatever else others take as input."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        service = args.typ.split(":")[1].split("/")[0]
        place = {"iam": "iam:", "cloudwatch": f"logs:{REGION}"}.get(service, f"{service}:{REGION}")
        arn = f"arn:aws:{place}:{ACCOUNT}:{args.name}"
        state = {"name": f"{args.name}-0a1b2c3", "arn": arn, **args.inputs}
        computed: dict[str, dict[str, Any]] = {
            "aws:sqs/queue:Queue": {"url": _queue_url(args.name)},
            "aws:s3/bucket:Bucket": {"bucket": state["name"], "arn": f"arn:aws:s3:::{args.name}"},
            "aws:lambda/function:Function": {"version": "7"},
            "aws:lambda/alias:Alias": {
                "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/{args.name}/invocations"
            },
            "aws:apigateway/restApi:RestApi": {
                "rootResourceId": "root",
                "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:api",
            },
            "aws:acm/certificate:Certificate": {
                "domainValidationOptions": [
                    {
                        "domainName": args.inputs.get("domainName", ""),
                        "resourceRecordName": f"_proof.{args.inputs.get('domainName', '')}.",
                        "resourceRecordType": "CNAME",
                        "resourceRecordValue": "_proof.acm-validations.example.",
                    }
                ]
            },
            "aws:apigateway/domainName:DomainName": {
                "regionalDomainName": f"d-{args.name}.execute-api.example",
                "regionalZoneId": "ZREGIONAL",
            },
            "aws:route53/record:Record": {"fqdn": args.inputs.get("name", "")},
            "aws:apigateway/stage:Stage": {"invokeUrl": f"https://api.example/{args.name}"},
            "aws:ecr/repository:Repository": {
                "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{args.name}",
                "registryId": ACCOUNT,
            },
            "docker-build:index:Image": {"digest": f"sha256:{_hash(args.name)}"},
            "aws:ec2/eip:Eip": {"allocationId": f"eipalloc-{args.name}"},
            "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
            "aws:cloudwatch/eventRule:EventRule": {
                "arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{state['name']}"
            },
            "aws:eks/cluster:Cluster": {
                "endpoint": f"https://{args.name}.eks.example",
                "certificateAuthority": {"data": "Y2VydGlmaWNhdGU="},
                "vpcConfig": {
                    **args.inputs.get("vpcConfig", {}),
                    "clusterSecurityGroupId": f"sg-{args.name}",
                },
            },
            "aws:eks/nodeGroup:NodeGroup": {
                "resources": [{"autoscalingGroups": [{"name": f"eks-{state['name']}"}]}]
            },
        }
        return f"{args.name}-id", {**state, **computed.get(args.typ, {})}

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:secretsmanager/getRandomPassword:getRandomPassword": {"randomPassword": "p" * 43},
            "aws:ecr/getAuthorizationToken:getAuthorizationToken": {
                "userName": "AWS",
                "password": "login",
            },
        }
        return answers[args.token], []  # a new invoke is answered on purpose


def _hash(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def _queue_url(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}-0a1b2c3"


@dataclass
class _Log:
    resources: list[Registered] = field(default_factory=list)
    outputs_of_components: dict[str, dict[str, Any]] = field(default_factory=dict)


class _Recorder(mocks.MockMonitor):
    def __init__(self, answers: pulumi.runtime.Mocks, log: _Log) -> None:
        super().__init__(answers)
        self._log = log

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the monitor's own name
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # pulumi's runtime is untyped
        if request.type != _STACK_TYPE:
            inputs = rpc.deserialize_properties(request.object)
            self._log.resources.append(
                Registered(
                    urn=response.urn,
                    type=request.type,
                    name=request.name,
                    inputs=plain(inputs),
                    outputs=plain(self.resources[response.urn].state),
                    parent=request.parent,
                    provider=request.provider,
                    depends_on=frozenset(request.dependencies),
                    origins={
                        key: frozenset(found.urns)
                        for key, found in request.propertyDependencies.items()
                        if found.urns
                    },
                    ignored_changes=tuple(request.ignoreChanges),
                    secrets=frozenset(k for k, v in inputs.items() if rpc.is_rpc_secret(v)),
                    is_component=not request.custom,
                    is_protected=request.protect,
                )
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the monitor's own name
        outputs = plain(rpc.deserialize_properties(request.outputs))
        self._log.outputs_of_components[request.urn] = outputs
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # pulumi's runtime is untyped


def plain(value: Any) -> Any:
    """Return secrets unwrapped and whole numbers, which the wire has as floats, as integers."""
    if rpc.is_rpc_secret(value):
        return plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@contextmanager
def _everything_kept() -> Iterator[None]:
    """Look for no garbage: half the time would go into it, for a graph that lives on as a whole."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()


def record(
    program: Callable[[], Any],
    *,
    stack: str = "test",
    answers: pulumi.runtime.Mocks | None = None,
    preview: bool = False,
) -> Declared:
    """Run `program` and return what it declared.

    Args:
        program: what declares resources.
        stack: the stack's name.
        answers: what the cloud answers; `CloudMocks` by default.
        preview: whether outputs may be unknown, as before a first `pulumi up`.
    """
    # Pulumi expects a loop, and Python no longer gives one.
    _ensure_event_loop()  # type: ignore[no-untyped-call]  # pulumi's runtime is untyped
    # The root stack, its transformations and the config would live on in the next program.
    set_root_resource(None)  # type: ignore[arg-type]  # it takes None to forget the root
    pulumi.runtime.set_all_config({})
    log, answers = _Log(), answers or CloudMocks()
    monitor = _Recorder(answers, log)
    pulumi.runtime.set_mocks(
        answers, project="penstock", stack=stack, preview=preview, monitor=monitor
    )
    returned: list[Any] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # pulumi's runtime is untyped
    def run() -> pulumi.Output[None]:
        return pulumi.Output.from_input(program()).apply(returned.append)

    with _everything_kept():
        run()
    # A preview does not know what the program returns.
    known = returned[0] if returned else None
    return Declared(tuple(log.resources), log.outputs_of_components, known)
