"""Which failures of AWS may pass by themselves."""

import pytest
from botocore import exceptions as botocore_exceptions
from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call
from penstock.contracts.errors import UnavailableError


def client_error(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "said AWS"},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "1",
                "HostId": "1",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "UpdateItem",
    )


@pytest.mark.parametrize(
    "cause",
    [
        client_error("ProvisionedThroughputExceededException"),
        client_error("ThrottlingException"),
        client_error("RequestLimitExceeded"),
        client_error("TooManyRequestsException"),
        client_error("AWS.SimpleQueueService.OverLimit", 403),
        client_error("SlowDown", 503),
        client_error("ExpiredToken"),
        client_error("ExpiredTokenException"),
        client_error("RequestExpired"),
        client_error("NeverHeardOf", 500),
        client_error("NeverHeardOf", 429),
    ],
    ids=str,
)
def test_throttles_and_server_errors_make_aws_unavailable(cause: ClientError) -> None:
    with pytest.raises(UnavailableError) as error, aws_call("claim request"):
        raise cause
    assert error.value.operation == "claim request"
    assert cause.response["Error"]["Code"].endswith(error.value.reason)
    assert error.value.__cause__ is cause


@pytest.mark.parametrize(
    "cause",
    [
        botocore_exceptions.EndpointConnectionError(endpoint_url="https://sqs"),
        botocore_exceptions.ConnectTimeoutError(endpoint_url="https://sqs"),
        botocore_exceptions.ReadTimeoutError(endpoint_url="https://sqs"),
        botocore_exceptions.ConnectionClosedError(endpoint_url="https://sqs"),
        botocore_exceptions.ResponseStreamingError(error="cut"),
        botocore_exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_a_broken_connection_makes_aws_unavailable(cause: Exception) -> None:
    with pytest.raises(UnavailableError) as error, aws_call("receive messages"):
        raise cause
    assert error.value.operation == "receive messages"
    assert error.value.__cause__ is cause


@pytest.mark.parametrize(
    "cause",
    [
        botocore_exceptions.CredentialRetrievalError(provider="container", error_msg="timed out"),
        botocore_exceptions.MetadataRetrievalError(error_msg="timed out"),
        botocore_exceptions.NoCredentialsError(),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_credentials_that_cannot_be_fetched_make_aws_unavailable(cause: Exception) -> None:
    with pytest.raises(UnavailableError) as error, aws_call("renew lease"):
        raise cause
    assert error.value.__cause__ is cause


@pytest.mark.parametrize(
    "cause",
    [
        client_error("AccessDeniedException", 403),
        client_error("ResourceNotFoundException"),
        client_error("ConditionalCheckFailedException"),
        ValueError("a bug"),
    ],
    ids=str,
)
def test_what_will_not_pass_by_itself_stays_what_it_is(cause: Exception) -> None:
    with pytest.raises(type(cause)) as error, aws_call("claim request"):
        raise cause
    assert error.value is cause
