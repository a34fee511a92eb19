"""The domain name that callers know the API by."""

from typing import Annotated

from pydantic import Field

from infra.settings.settings import Settings

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_CERTIFICATE = r"^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate/[0-9A-Za-z-]+$"


class DomainSettings(Settings):
    """A domain name of yours for the API. The address that AWS gives to an API is closed then."""

    # A certificate takes a first name of 64 characters.
    name: Annotated[str, Field(pattern=rf"^({_LABEL}\.)+[a-z]{{2,63}}$", max_length=64)]
    """Where the API answers, such as `inference.example.com`."""

    hosted_zone: Annotated[str, Field(pattern=r"^Z[0-9A-Z]{1,31}$")]
    """The id of the Route 53 zone that the name is in. The stack writes its records there."""

    wildcard: bool = True
    """Whether the API answers below the name too, as Baseten does: at `model-<id>.<name>` and
    `chain-<id>.<name>`. AWS lets one account alone have that for a name."""

    certificate_arn: Annotated[str, Field(pattern=_CERTIFICATE)] | None = None
    """A certificate of ACM in the stack's region, for `<name>` and, with `wildcard`, for
    `*.<name>`; absent: the stack asks for one and shows by DNS that the name is yours."""

    def check_region(self, region: str) -> None:
        """Check that API Gateway can use the certificate.

        Raises:
            ValueError: it lies in another region.
        """
        if self.certificate_arn is not None and (found := self.certificate_region) != region:
            raise ValueError(
                f"api.domain.certificate_arn: it is in {found}; the API needs one in {region}"
            )

    @property
    def certificate_region(self) -> str | None:
        """Where the given certificate is."""
        return self.certificate_arn.split(":")[3] if self.certificate_arn else None

    @property
    def hosts(self) -> dict[str, str]:
        """What API Gateway and DNS are told: a word for each, and the host."""
        return {"name": self.name} | ({"wildcard": f"*.{self.name}"} if self.wildcard else {})
