"""Entry point of the sweeper function, which EventBridge Scheduler calls every minute."""

from functions import cold_start  # isort: skip  # before all that takes time

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.sweeper.service import SweeperService
from functions.sweeper.workforce import in_threads
from functions.telemetry import telemetry
from penstock.adapters.aws.clients import client
from penstock.adapters.aws.dead_letters import SqsDeadLetterQueue
from penstock.adapters.aws.directory import DynamoCatalog
from penstock.adapters.aws.notifier import SnsNotifier
from penstock.adapters.aws.objects import S3ResultStore
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.environments import SweeperEnvironment
from penstock.contracts.ports.clock import utc_now

_SPARE_MILLISECONDS = 10_000
"""What was begun may still take so long before Lambda ends the function."""

_THREADS = 16
"""Nearly all of a sweep is waiting for AWS."""

_telemetry = telemetry("sweeper")
_environment = SweeperEnvironment.read()  # fails the cold start, not the first sweep


def _queue_of(deployment: Deployment) -> SqsRequestQueue:
    return SqsRequestQueue(deployment.queue_urls, client("sqs"))


def _dead_letters_of(deployment: Deployment) -> SqsDeadLetterQueue:
    return SqsDeadLetterQueue(deployment.dead_letter_queue_url, client("sqs"))


_service = SweeperService(
    catalog=DynamoCatalog(_environment.catalog_table, client("dynamodb")),
    requests=DynamoRequestStore(_environment.requests_table, client("dynamodb")),
    results=S3ResultStore(_environment.results_bucket, client("s3")),
    notifier=SnsNotifier(_environment.succeeded_topic, _environment.failed_topic, client("sns")),
    queue_of=_queue_of,
    dead_letters_of=_dead_letters_of,
    clock=utc_now,
    count=_telemetry.count,
    workforce=in_threads(_THREADS),
)
cold_start.is_over()


@_telemetry.logger.inject_lambda_context
@_telemetry.metrics.log_metrics(capture_cold_start_metric=True)
def handle(_event: dict[str, Any], context: LambdaContext) -> None:
    """Sweep once."""
    _service.sweep(lambda: context.get_remaining_time_in_millis() > _SPARE_MILLISECONDS)
