"""What S3 says when a place that is not ours will not serve us, now or later."""

from collections.abc import Mapping

from botocore.exceptions import (
    ClientError,
    EndpointProviderError,
    ParamValidationError,
    UnsupportedS3ArnError,
)

from penstock.adapters.aws.availability import error_code

REFUSALS = (ClientError, EndpointProviderError, ParamValidationError, UnsupportedS3ArnError)
"""How a call ends that S3 or botocore refuses. What may succeed later is `UnavailableError` before:
it is raised inside `aws_call`."""

_OF_OURS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
"""What is wrong with our credentials or our clock, whatever the place."""

_REASONS: Mapping[str, str] = {
    "301": "its bucket is in another region",
    "400": "it asks for a key or a header that we do not have",
    "403": "{doing} it is forbidden",
    "AccessDenied": "{doing} it is forbidden",
    "AccessDeniedException": "{doing} it is forbidden",
    "AllAccessDisabled": "all access to it is disabled",
    "AuthorizationHeaderMalformed": "its bucket is in another region",
    "InvalidBucketName": "no bucket has such a name",
    "InvalidObjectState": "it is archived",
    "InvalidRequest": "it is encrypted with a key of its caller's, or asks for another call",
    "KMS.DisabledException": "its key is disabled",
    "KMS.InvalidKeyUsageException": "its key is not for encryption",
    "KMS.KMSInvalidStateException": "its key cannot be used in its present state",
    "KMS.NotFoundException": "its key does not exist",
    "KeyTooLongError": "no key is so long",
    "MethodNotAllowed": "it was deleted, or takes no such call",
    "NoSuchBucket": "there is no such bucket",
    "NoSuchKey": "there is no such object",
    "PermanentRedirect": "its bucket is in another region",
}


def reason_of(error: Exception, doing: str) -> str | None:
    """Return why a place refuses for good; `None` if the fault is not the place's.

    Args:
        error: What S3 or botocore said.
        doing: What we wanted, such as `reading`.
    """
    if not isinstance(error, ClientError):
        return f"its name is refused ({type(error).__name__})"
    code = error.response["Error"]["Code"]
    if error_code(error) in _OF_OURS:
        return None
    known = _REASONS.get(code) or _REASONS.get(error_code(error))
    return f"{known.format(doing=doing)} ({code})" if known else f"S3 answers {code}"
