"""Calls as the dialects read them."""

import json
from collections.abc import Mapping
from typing import Any

from penstock.contracts.request import Tenant
from penstock.dialects.http_call import HttpCall


def a_call(  # noqa: PLR0913 - a call has as many parts
    route: str = "/models/{model_id}/production/async_predict",
    *,
    hosts: tuple[str, ...] = ("abc123.execute-api.eu-central-1.amazonaws.com",),
    headers: dict[str, str] | None = None,
    body: Any = None,
    raw: bytes | None = None,
    path_parameters: Mapping[str, str] | None = None,
) -> HttpCall:
    """Return a call; `body` is sent as JSON, `raw` as it is."""
    return HttpCall(
        tenant=Tenant("acme"),
        method="POST",
        route=route,
        paths=(route,),
        hosts=hosts,
        path_parameters=path_parameters or {},
        query={},
        repeated_query={},
        headers=headers or {},
        body=json.dumps(body).encode() if raw is None else raw,
    )
