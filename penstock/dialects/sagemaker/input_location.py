"""Where the input of an invocation lies, from whatever URI names it."""

import re
from urllib.parse import SplitResult, parse_qs, unquote_plus, urlsplit

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
    host = _S3_HOST.fullmatch(url.netloc.lower().removesuffix(":443"))
    if host is None:
        raise ValueError(f"{url.netloc} is no host of S3: {_FORMS}")
    if url.query or url.fragment:
        raise ValueError(f"{_beside_the_key(url)}: {_FORMS}")
    # S3 reads a plus sign in a URL as a space, and its console writes URLs so.
    path = unquote_plus(url.path).removeprefix("/")
    named = f"{host['bucket']}/{path}" if host["bucket"] else path
    return read_input_location(f"s3://{named}")


def _beside_the_key(url: SplitResult) -> str:
    """Return why a URL that says more than a key is not taken."""
    names = {name.lower() for name in parse_qs(url.query, keep_blank_values=True)}
    if "versionid" in names:
        return "a version cannot be named, inputs are read as they are when their turn comes"
    if any(name.startswith("x-amz-") for name in names) or {"signature", "awsaccesskeyid"} & names:
        return "a presigned URL is not taken, inputs are read by their key"
    return "a query or fragment is not taken, a key with ? or # has %3F or %23"
