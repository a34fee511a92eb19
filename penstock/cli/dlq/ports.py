"""What the commands about dead letters work with."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.dead_letters import SqsDeadLetterQueue
from penstock.adapters.aws.directory import DynamoCatalog
from penstock.adapters.aws.objects import S3PayloadStore, S3ResultStore
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.ports.dead_letters import DeadLetterQueue
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.ports.objects import PayloadStore, ResultStore
from penstock.contracts.ports.requests import RequestQueue, RequestStore
from penstock.contracts.stack.stack_outputs import StackOutputs


@dataclass(frozen=True, kw_only=True)
class DeadLetterPorts:
    """The requests and dead letters of one stack."""

    catalog: Catalog
    requests: RequestStore
    payloads: PayloadStore
    results: ResultStore
    queue_of: Callable[[Deployment], RequestQueue]
    letters_of: Callable[[Deployment], DeadLetterQueue]
    pause: Callable[[float], None] = time.sleep


def aws_dead_letter_ports(outputs: StackOutputs) -> DeadLetterPorts:
    """Return the ports of a stack whose AWS the clients point to."""
    sqs, s3, dynamodb = client("sqs"), client("s3"), client("dynamodb")
    return DeadLetterPorts(
        catalog=DynamoCatalog(outputs.catalog_table, dynamodb, utc_now),
        requests=DynamoRequestStore(outputs.requests_table, dynamodb),
        payloads=S3PayloadStore(outputs.payloads_bucket, s3),
        results=S3ResultStore(outputs.results_bucket, s3),
        queue_of=lambda deployment: SqsRequestQueue(deployment.queue_urls, sqs),
        letters_of=lambda deployment: SqsDeadLetterQueue(deployment.dead_letter_queue_url, sqs),
    )
