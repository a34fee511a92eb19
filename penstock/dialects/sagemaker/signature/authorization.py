"""The `Authorization` header of a signed call."""

import re
from dataclasses import dataclass
from typing import Self

from penstock.dialects.sagemaker.signature.refusals import IncompleteSignatureError

ALGORITHM = "AWS4-HMAC-SHA256"
_FAMILY = "AWS4-"
_PART = re.compile(r"(Credential|SignedHeaders|Signature)=(\S+)")
_ACCESS_KEY_ID = re.compile(r"\w{1,128}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class SignedAuthorization:
    """Under which key, for what and over what a call was signed."""

    access_key_id: str
    date: str
    """`yyyymmdd`."""

    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def is_in(cls, authorization: str) -> bool:
        """Whether a header is meant to be a signature of AWS."""
        return authorization.startswith(_FAMILY)

    @classmethod
    def parse(cls, authorization: str) -> Self:
        """Read a header.

        Raises:
            IncompleteSignatureError: it has another form; the text says what is amiss.
        """
        algorithm, _, rest = authorization.partition(" ")
        if algorithm != ALGORITHM:
            raise IncompleteSignatureError(f"Unsupported AWS 'algorithm': {algorithm!r}")
        parts: dict[str, str] = {}
        for text in rest.split(","):
            part = _PART.fullmatch(text.strip())
            if part is None or part[1] in parts:
                raise IncompleteSignatureError(
                    "Authorization header must hold Credential, SignedHeaders and Signature, once."
                )
            parts[part[1]] = part[2]
        for name in ("Credential", "SignedHeaders", "Signature"):
            if name not in parts:
                raise IncompleteSignatureError(f"Authorization header requires '{name}' parameter.")
        return cls._of(parts)

    @classmethod
    def _of(cls, parts: dict[str, str]) -> Self:
        scope = parts["Credential"].split("/")
        if len(scope) != 5:  # noqa: PLR2004 - id, date, region, service, terminator
            raise IncompleteSignatureError(
                "Credential must have exactly 5 slash-delimited elements, e.g."
                " keyid/date/region/service/term"
            )
        access_key_id, date, region, service, terminator = scope
        if _ACCESS_KEY_ID.fullmatch(access_key_id) is None:
            raise IncompleteSignatureError("Credential must begin with an access key id.")
        if _SIGNATURE.fullmatch(parts["Signature"]) is None:
            raise IncompleteSignatureError("Signature must be 64 lower-case hexadecimal digits.")
        return cls(
            access_key_id=access_key_id,
            date=date,
            region=region,
            service=service,
            terminator=terminator,
            signed_headers=tuple(parts["SignedHeaders"].split(";")),
            signature=parts["Signature"],
        )

    @property
    def scope(self) -> str:
        """What the key was narrowed to."""
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"
