"""Functions run on what is supported, cheaply, and never crowd out others."""

from collections.abc import Iterator

from ..declaring import ADVISORY, Settings, resource_policy, stack_policy, texts
from ..reading import UNKNOWN, as_number, may_be, may_be_within
from ..resources import Resource, Stack

FUNCTION = "aws:lambda/function:Function"
_LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


@resource_policy(
    "lambda-runtime",
    FUNCTION,
    schema={"runtimes": texts("python3.12", "python3.13", "python3.14")},
)
def runtimes_are_maintained(function: Resource, settings: Settings) -> Iterator[str]:
    """Functions run on runtimes that AWS still maintains."""
    runtime = function.at("runtime")
    is_image = runtime is None and may_be(function.at("packageType"), ["Image"])
    if not (is_image or may_be(runtime, settings["runtimes"])):
        yield f"set runtime to one of {', '.join(settings['runtimes'])}, not {runtime}"


@resource_policy("lambda-arm64", FUNCTION, level=ADVISORY)
def functions_run_on_arm(function: Resource, _: Settings) -> Iterator[str]:
    """Functions run on arm64: a fifth cheaper."""
    architectures = function.at("architectures")
    first = architectures[0] if isinstance(architectures, list) and architectures else architectures
    if not may_be(first, ["arm64"]):
        yield 'set architectures=["arm64"]'


@resource_policy(
    "lambda-concurrency",
    FUNCTION,
    level=ADVISORY,
)
def concurrency_is_bounded(function: Resource, _: Settings) -> Iterator[str]:
    """A function cannot take the concurrency of all others."""
    if not may_be_within(function.at("reservedConcurrentExecutions"), 0, float("inf")):
        yield "set reserved_concurrent_executions"


@stack_policy("lambda-log-group")
def functions_log_for_a_time(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """Functions write to a log group of the stack's own, kept for a set time."""
    for function in stack.of(FUNCTION):
        groups = [group for group in stack.of(_LOG_GROUP) if _may_write_to(function, group)]
        if not groups:
            yield function, "declare a LogGroup and name it in logging_config.log_group"
        for group in groups:
            days = group.at("retentionInDays")
            if days is not UNKNOWN and not as_number(days):
                yield function, f"set retention_in_days of its log group {group.name}"


def _may_write_to(function: Resource, group: Resource) -> bool:
    if function.at("loggingConfig", "logGroup") is not None:
        return function.may_refer_to(group, "loggingConfig", "logGroup")
    name, default = group.at("name"), "/aws/lambda/"
    if function.at("name") is UNKNOWN:
        return name is UNKNOWN or str(name).startswith(default)
    return may_be(name, [f"{default}{function.at('name')}"])


@resource_policy(
    "lambda-url-auth",
    "aws:lambda/functionUrl:FunctionUrl",
)
def urls_want_signatures(url: Resource, _: Settings) -> Iterator[str]:
    """Function URLs answer only to signed calls."""
    if not may_be(url.at("authorizationType"), ["AWS_IAM"]):
        yield "set authorization_type to AWS_IAM"
