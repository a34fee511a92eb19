"""How a request was asked for, and what its caller's dialect wants to hear at its end."""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field

from penstock.contracts.contract import Contract

_S3_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)", re.DOTALL)


class Dialect(StrEnum):
    """Whose API a client speaks."""

    BASETEN = "baseten"
    SAGEMAKER = "sagemaker"
    DATACRUNCH = "datacrunch"


class Location(Contract):
    """A place in S3, whether or not anything lies there."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read `s3://bucket/key`.

        Raises:
            ValueError: it has another form.
        """
        if (found := _S3_URI.fullmatch(uri)) is None:
            raise ValueError(f"{uri!r} is not of the form s3://bucket/key")
        return cls(bucket=found["bucket"], key=found["key"])

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


class InputLocation(Location):
    """Where a payload lies that did not come with the call."""

    content_type: str | None = None
    """What the caller said it is; the object's own type applies when it is absent."""


class Destination(Contract):
    """Where exactly one of result and failure document is to lie."""

    result: Location
    failure: Location


class ContainerCall(Contract):
    """An HTTP call that is handed on to the model server as its caller made it."""

    method: Annotated[str, Field(pattern="[A-Z]+")] = "POST"
    path: str = "/"
    """As the caller wrote it, percent-encoded; `/` is where the preset takes predictions."""

    query: str = ""
    """As the caller wrote it, without the question mark."""

    headers: dict[str, str] = Field(default_factory=dict)
    """Beside the content type and what the dispatcher itself sends."""


class SageMakerInvocation(Contract):
    """What SageMaker's notification repeats of a call, and to whom it goes.

    Field names follow `InvokeEndpointAsync` and `AsyncInferenceConfig` of the SageMaker API.
    """

    endpoint_name: str
    inference_id: str
    input_location: str | None = None
    accept: str | None = None
    content_type: str | None = None
    custom_attributes: str | None = None
    success_topic: str | None = None
    error_topic: str | None = None
    include_response_in: tuple[Literal["success", "error"], ...] = ()
    """In which of the two notifications a body of at most 128 KB travels."""
