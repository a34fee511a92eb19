"""The one place where a failure of AWS becomes `UnavailableError`."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as botocore_exceptions
from botocore.exceptions import ClientError

from penstock.contracts.errors import UnavailableError

_UNREACHABLE = (
    botocore_exceptions.ConnectionError,
    botocore_exceptions.HTTPClientError,
    botocore_exceptions.IncompleteReadError,
)
# The agent or the endpoint that hands out credentials fails for a while, or is just starting.
_WITHOUT_CREDENTIALS = (
    botocore_exceptions.CredentialRetrievalError,
    botocore_exceptions.MetadataRetrievalError,
    botocore_exceptions.NoCredentialsError,
)
_TRANSIENT_CODES = {
    "BandwidthLimitExceeded",
    "ExpiredToken",  # the credentials' lifetime ended before others were fetched
    "ExpiredTokenException",
    "IncompleteBody",
    "InternalError",
    "KMSThrottling",  # SNS; the next is of SQS
    "KmsThrottled",
    "OperationAborted",  # S3: another operation on this bucket is under way
    "OverLimit",  # SQS: about 120,000 messages of this queue are in flight
    "ProvisionedThroughputExceededException",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "TemporaryRedirect",  # S3: a bucket that is new
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
    "TransactionConflictException",
}


def error_code(error: ClientError) -> str:
    """Return the code of an AWS error without the namespace that SQS puts before some."""
    return error.response["Error"]["Code"].rpartition(".")[-1]


@contextmanager
def aws_call(operation: str) -> Iterator[None]:
    """Raise `UnavailableError` if what happens inside may succeed later.

    Any other error of AWS (denied, not found, refused condition) passes as it is.
    """
    try:
        yield
    except ClientError as error:
        if _is_transient(error):
            raise UnavailableError(operation, error_code(error)) from error
        raise
    except (*_UNREACHABLE, *_WITHOUT_CREDENTIALS) as error:
        raise UnavailableError(operation, str(error)) from error


def _is_transient(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error_code(error) in _TRANSIENT_CODES or status == 429 or status >= 500  # noqa: PLR2004 - HTTP
