"""Calls as botocore itself signs them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from penstock.contracts.request import Tenant
from penstock.dialects.http_call import HttpCall

ROUTE = "/endpoints/{endpoint_name}/async-invocations"


@contextmanager
def botocore_at(now: datetime) -> Iterator[None]:
    """Let botocore sign as if it were then."""
    with patch("botocore.auth.get_current_datetime", lambda: now):
        yield


def signed_headers(  # noqa: PLR0913 - a signature has as many parts
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    now: datetime,
    access_key_id: str,
    secret: str,
    service: str = "sagemaker",
    region: str = "us-east-1",
    token: str | None = None,
) -> dict[str, str]:
    """Return the headers of a signed POST as they travel, by lower-case name."""
    request = AWSRequest("POST", url, headers=dict(headers or {}), data=body)
    with botocore_at(now):
        SigV4Auth(Credentials(access_key_id, secret, token), service, region).add_auth(request)
    sent = {name.lower(): value for name, value in request.headers.items()}
    return {"host": urlsplit(url).netloc, **sent}


def received(url: str, body: bytes, headers: Mapping[str, str], *, stage: str = "") -> HttpCall:
    """Return the call as a function reads it; `stage` precedes the path on the wire."""
    parts = urlsplit(url)
    return HttpCall(
        tenant=Tenant(""),
        method="POST",
        route=ROUTE,
        paths=(parts.path, parts.path.removeprefix(stage)),
        hosts=(parts.netloc,),
        path_parameters={"endpoint_name": parts.path.split("/")[-2]},
        query={},
        repeated_query={name: tuple(all_) for name, all_ in parse_qs(parts.query).items()},
        headers=headers,
        body=body,
    )
