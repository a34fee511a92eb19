"""What an answer says of its own type, as a header of S3 can carry it."""

import re

import aiohttp

OCTETS = "application/octet-stream"
"""What an answer is that does not say it."""

_LONGEST = 1_024
_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[\t -~]*")


def content_type_of(response: aiohttp.ClientResponse) -> str:
    """Return the Content-Type of an answer without what cannot be stored.

    S3 takes printable ASCII. A parameter with anything else is left out, not the answer lost.
    """
    said = response.headers.get("Content-Type", OCTETS)
    essence, *parameters = said.split(";")
    if not _TYPE.fullmatch(essence.strip()):
        return OCTETS
    storable = [essence, *(each for each in parameters if _PRINTABLE.fullmatch(each))]
    kept = ";".join(storable).strip()
    return kept if len(kept) <= _LONGEST else essence.strip()[:_LONGEST]
