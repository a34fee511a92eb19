"""Where the input of an invocation lies, from whatever URI names it."""

import re
from urllib.parse import unquote, urlsplit

from penstock.contracts.origin import Location

_S3_HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]+)\.)?s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
)
_FORMS = "write s3://bucket/key"


def read_input_location(uri: str) -> Location:
    """Return the place that an `s3://` URI or an `https://` URL of S3 names.

    Raises:
        ValueError: it names none; the text says what to write.
    """
    if not uri.startswith("https://"):
        try:
            return Location.parse(uri)
        except ValueError as error:
            raise ValueError(f"it names no object of a bucket: {_FORMS}") from error
    try:
        url = urlsplit(uri)
    except ValueError as error:
        raise ValueError(f"it is no URL: {_FORMS}") from error
    host = _S3_HOST.fullmatch(url.netloc)
    if host is None:
        raise ValueError(f"{url.netloc} is no host of S3: {_FORMS}")
    if url.query or url.fragment:
        raise ValueError(f"a presigned URL is not taken, inputs are read by their key: {_FORMS}")
    path = unquote(url.path).removeprefix("/")
    named = f"{host['bucket']}/{path}" if host["bucket"] else path
    return read_input_location(f"s3://{named}")
