"""The queues of one deployment: one per priority, and one for dead letters."""

from dataclasses import dataclass

import pulumi

from infra.components.custody.custody import Custody
from infra.components.permissions import Statement, allow
from infra.components.pipeline.message_queue import (
    QueueArgs,
    Redrive,
    declare_queue,
    guard_queue,
    take_dead_letters,
)

_PRIORITIES = (0, 1, 2)
_MAX_RECEIVES = 1_000  # SQS's most
"""What ends a request are the attempts in its row. Whatever else puts a message back is a receive
too, so a worker replaces a message by a copy long before this (`penstock.protocol.putting_back`).
"""
_LEAST_VISIBILITY_SECONDS = 60
"""For whoever takes a message by hand; a worker says for how long with each call."""

_TAG = "penstock:requests-of"
_DEAD_LETTERS_TAG = "penstock:dead-letters-of"


@dataclass(frozen=True, kw_only=True)
class RequestQueuesArgs:
    """What the queues need to know."""

    stack: str
    """The stack they belong to; permissions for all queues of a stack go by it."""

    custody: Custody
    lease_seconds: int
    """How long a silent worker keeps a request; each heartbeat renews the lease."""


class RequestQueues(pulumi.ComponentResource):
    """Three encrypted queues whose poisoned messages end in a dead-letter queue."""

    urls: tuple[pulumi.Output[str], pulumi.Output[str], pulumi.Output[str]]
    dead_letter_queue_url: pulumi.Output[str]

    def __init__(
        self, name: str, args: RequestQueuesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:RequestQueues", name, {}, opts)
        self._dead_letters = dead_letters = declare_queue(
            f"{name}-dead-letters",
            QueueArgs(custody=args.custody, tags={_DEAD_LETTERS_TAG: args.stack}),
            self,
        )
        self.dead_letter_queue_url = dead_letters.url
        requests = QueueArgs(
            custody=args.custody,
            visibility_seconds=max(_LEAST_VISIBILITY_SECONDS, args.lease_seconds),
            redrive=Redrive(dead_letters, _MAX_RECEIVES),
            tags={_TAG: args.stack},
        )
        p0, p1, p2 = self._queues = tuple(
            declare_queue(
                f"{name}-p{priority}",
                requests,
                self,
            )
            for priority in _PRIORITIES
        )
        self.urls = (p0.url, p1.url, p2.url)
        take_dead_letters(f"{name}-redrive", dead_letters, [p0, p1, p2], self)
        for priority, queue in enumerate(self._queues):
            guard_queue(f"{name}-p{priority}-policy", queue, self, args.custody)
        guard_queue(f"{name}-dead-letters-policy", dead_letters, self, args.custody)
        self.register_outputs(
            {"urls": list(self.urls), "dead_letter_queue_url": self.dead_letter_queue_url}
        )

    def statements_to_work(self) -> list[Statement]:
        """Allow what a dispatcher does with these queues."""
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
        return [
            allow([*actions, "sqs:SendMessage"], [queue.arn for queue in self._queues]),
            allow("sqs:SendMessage", self._dead_letters.arn),
        ]


def statement_to_send(stack: str, custody: Custody) -> Statement:
    """Allow to send to every request queue of a stack."""
    return _allow_on_all("sqs:SendMessage", _TAG, stack, custody)


def statement_to_measure(stack: str, custody: Custody) -> Statement:
    """Allow to read the depth of every request queue of a stack."""
    return _allow_on_all("sqs:GetQueueAttributes", _TAG, stack, custody)


def statement_to_look_at_dead_letters(stack: str, custody: Custody) -> Statement:
    """Allow to count and read, but not to remove, all dead letters of a stack's requests."""
    actions = ["sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"]
    return _allow_on_all(actions, _DEAD_LETTERS_TAG, stack, custody)


def _allow_on_all(actions: str | list[str], tag: str, stack: str, custody: Custody) -> Statement:
    # By tag, because a role's policies end at 10,240 characters: 35 deployments named by ARN.
    condition = {"StringEquals": {f"aws:ResourceTag/{tag}": stack}}
    queues = pulumi.Output.concat(f"arn:aws:sqs:{custody.region}:", custody.account_id, ":*")
    return allow(actions, queues, condition)
