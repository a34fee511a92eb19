"""Queues are encrypted, lose nothing, and hide what is being worked on."""

from collections.abc import Iterator

from ..declaring import ADVISORY, Schema, Settings, number, resource_policy, stack_policy, texts
from ..reading import UNKNOWN, as_number, at, document, is_on, matches, may_be_within
from ..resources import Resource, Stack

QUEUE = "aws:sqs/queue:Queue"
_REDRIVE = "aws:sqs/redrivePolicy:RedrivePolicy"
_SOURCE = "aws:lambda/eventSourceMapping:EventSourceMapping"
_ALIAS = "aws:lambda/alias:Alias"
_FUNCTION = "aws:lambda/function:Function"
_LEAST_RETENTION_SECONDS = 72 * 3_600  # a request may wait so long for its turn
_DEFAULT_RETENTION_SECONDS = 4 * 24 * 3_600
_LEAST_VISIBILITY_SECONDS, _MOST_VISIBILITY_SECONDS = 60, 43_200
_DEFAULT_VISIBILITY_SECONDS = 30
_DEFAULT_TIMEOUT_SECONDS = 3
_TIMEOUTS_PER_VISIBILITY = 6  # what AWS asks of queues that feed a function
_SIGNALS: Schema = {
    "signals": {**texts(), "description": "Queues of signals: worthless when old, missed by nobody"}
}


@resource_policy("sqs-encrypted", QUEUE)
def queues_are_encrypted(queue: Resource, _: Settings) -> Iterator[str]:
    """Queues encrypt their messages at rest."""
    if not (is_on(queue.at("sqsManagedSseEnabled")) or queue.at("kmsMasterKeyId")):
        yield "set sqs_managed_sse_enabled or kms_master_key_id"


@resource_policy("sqs-long-poll", QUEUE, level=ADVISORY)
def queues_are_polled_long(queue: Resource, _: Settings) -> Iterator[str]:
    """Queues are read by long polling."""
    if not may_be_within(queue.at("receiveWaitTimeSeconds"), 1, 20):
        yield "set receive_wait_time_seconds to 20: empty answers cost as much as full ones"


@stack_policy(
    "sqs-dlq",
    schema={
        "minReceiveCount": number(3, minimum=1),
        "maxReceiveCount": number(20, minimum=1),
        "countedElsewhere": texts(),
        **_SIGNALS,
    },
)
def queues_have_dead_letters(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """What cannot be processed ends in a dead-letter queue, after a sane number of tries."""
    low, high = settings["minReceiveCount"], settings["maxReceiveCount"]
    for queue in _work_queues(stack, settings):
        redrives = _redrives(stack, queue)
        if not redrives:
            yield queue, "set redrive_policy: a queue for dead letters, and maxReceiveCount"
        for redrive in redrives:
            count = at(document(redrive.at("redrivePolicy")), "maxReceiveCount")
            is_exempt = matches(queue.name, settings["countedElsewhere"])
            if not (is_exempt or may_be_within(count, low, high)):
                yield queue, f"set maxReceiveCount to {low:g}..{high:g}, not {count}"


@stack_policy("sqs-retention", schema=_SIGNALS)
def messages_live_long_enough(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """Messages outlive the longest wait, and dead letters their source's messages."""
    for queue in _work_queues(stack, settings):
        kept = _retention(queue)
        if kept is not None and kept < _LEAST_RETENTION_SECONDS:
            yield queue, f"set message_retention_seconds to {_LEAST_RETENTION_SECONDS} or more"
        for dead_letters in _dead_letter_queues(stack, queue):
            longer = _retention(dead_letters)
            if kept is not None and longer is not None and longer < kept:
                yield (
                    dead_letters,
                    f"set message_retention_seconds to {kept:.0f} or more, as in {queue.name}:"
                    " a dead letter keeps the age of its message",
                )


@stack_policy("sqs-visibility", schema=_SIGNALS)
def messages_stay_hidden(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """A message stays hidden for as long as it is worked on."""
    low, high = _LEAST_VISIBILITY_SECONDS, _MOST_VISIBILITY_SECONDS
    for queue in _work_queues(stack, settings):
        hidden = queue.at("visibilityTimeoutSeconds")
        hidden = _DEFAULT_VISIBILITY_SECONDS if hidden is None else hidden
        if not may_be_within(hidden, low, high):
            yield queue, f"set visibility_timeout_seconds to {low}..{high}"
        for function in _fed_functions(stack, queue):
            timeout = as_number(function.at("timeout") or _DEFAULT_TIMEOUT_SECONDS)
            if timeout and not may_be_within(hidden, timeout * _TIMEOUTS_PER_VISIBILITY, high):
                yield (
                    queue,
                    f"set visibility_timeout_seconds to {_TIMEOUTS_PER_VISIBILITY} times the"
                    f" {timeout:g} s timeout of {function.name} or more",
                )


def _redrives(stack: Stack, queue: Resource) -> list[Resource]:
    own = [queue] if queue.at("redrivePolicy") is not None else []
    return own + stack.referring_to(queue, [_REDRIVE], "queueUrl")


def _dead_letter_queues(stack: Stack, queue: Resource) -> list[Resource]:
    redrives = _redrives(stack, queue)
    return [q for q in stack.of(QUEUE) if any(_names_as_target(r, q) for r in redrives)]


def _names_as_target(redrive: Resource, queue: Resource) -> bool:
    if redrive.may_refer_to(queue, "redrivePolicy"):
        return True
    target = at(document(redrive.at("redrivePolicy")), "deadLetterTargetArn")
    return target is not UNKNOWN and target in queue.names


def _work_queues(stack: Stack, settings: Settings) -> list[Resource]:
    dead = {d.urn for q in stack.of(QUEUE) for d in _dead_letter_queues(stack, q)}
    living = [queue for queue in stack.of(QUEUE) if queue.urn not in dead]
    return [queue for queue in living if not matches(queue.name, settings["signals"])]


def _retention(queue: Resource) -> float | None:
    value = queue.at("messageRetentionSeconds")
    return as_number(_DEFAULT_RETENTION_SECONDS if value is None else value)


def _fed_functions(stack: Stack, queue: Resource) -> Iterator[Resource]:
    for source in stack.referring_to(queue, [_SOURCE], "eventSourceArn"):
        for function in stack.of(_FUNCTION):
            aliases = stack.referring_to(function, [_ALIAS], "functionName")
            if any(source.may_refer_to(named, "functionName") for named in (function, *aliases)):
                yield function
