"""Why a signed call is refused, by the names that AWS clients know."""

from penstock.contracts.errors import UnauthorizedError


class SignatureRefusedError(UnauthorizedError):
    """The call does not prove whose it is."""

    name: str
    """The error's name on the wire."""


class MissingAuthenticationTokenError(SignatureRefusedError):
    """The call says nothing of its caller."""

    name = "MissingAuthenticationTokenException"

    def __init__(self) -> None:
        super().__init__("Missing Authentication Token: sign the call, or send a Bearer key")


class IncompleteSignatureError(SignatureRefusedError):
    """The signature cannot be read."""

    name = "IncompleteSignatureException"


class UnrecognizedClientError(SignatureRefusedError):
    """The access key is unknown, expired or revoked: which of them is not told."""

    name = "UnrecognizedClientException"

    def __init__(self, advice: str = "") -> None:
        super().__init__(f"The security token included in the request is invalid.{advice}")


class InvalidSignatureError(SignatureRefusedError):
    """The signature is not one of this call, this time or this service."""

    name = "InvalidSignatureException"
