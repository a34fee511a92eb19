"""Which API the SDK talks to, and with which key."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from penstock.client.errors import NotConfiguredError
from penstock.contracts.stack.local_stack import LocalStack

URL_VARIABLE = "PENSTOCK_API_URL"
KEY_VARIABLE = "PENSTOCK_API_KEY"


LOOPBACK_WITHOUT_PROXY: Final = {"all://127.0.0.1": None, "all://localhost": None}
"""Mounts of an HTTP client: a proxy of the user's is not for the local stack."""


@dataclass(frozen=True)
class Endpoint:
    """An API and the key to it."""

    base_url: str
    api_key: str = field(repr=False)

    @classmethod
    def find(
        cls,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Return what is given, else what the environment names, else the local stack.

        The local stack's key is only ever sent to the local stack.

        Raises:
            NotConfiguredError: the URL or the key is found nowhere, or the URL is none.
        """
        environ = os.environ if environ is None else environ
        base_url = base_url or environ.get(URL_VARIABLE)
        api_key = api_key or environ.get(KEY_VARIABLE)
        if base_url is None:
            local = LocalStack.find(folder or Path.cwd())
            if local is None:
                raise NotConfiguredError(
                    f"no API to talk to: set {URL_VARIABLE} and {KEY_VARIABLE},"
                    " or start a local stack with 'penstock local up'"
                )
            base_url, api_key = local.front_url, api_key or local.api_key
        if not api_key:
            raise NotConfiguredError(
                f"no API key for {base_url}: set {KEY_VARIABLE}, or make a key with"
                " 'penstock keys create'"
            )
        if urlsplit(base_url).scheme not in {"http", "https"}:
            raise NotConfiguredError(f"{base_url!r} is no API: expected https://…")
        return cls(base_url.rstrip("/"), api_key)
