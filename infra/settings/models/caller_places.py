"""Buckets and topics of callers that a deployment may use."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from infra.settings.settings import Settings

BUCKETS_LENGTH = 20
"""How many buckets a deployment may read: a role's own policy ends at 10,240 characters."""

_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
# Without `*`, `?` and `$`: in the policy of a role they would mean more than this folder.
_FOLDER = re.compile(rf"s3://{_BUCKET}(/[A-Za-z0-9!_.'()/-]*)?")


def _folder(uri: str) -> str:
    if not _FOLDER.fullmatch(uri):
        raise ValueError(f"{uri!r} is not of the form s3://bucket/folder")
    parts = uri.removeprefix("s3://").rstrip("/").split("/")
    if not all(parts) or {".", ".."} & set(parts):
        raise ValueError(f"{uri!r} has an empty part, or one of dots")
    return uri.rstrip("/")


BucketName = Annotated[str, Field(pattern=f"^{_BUCKET}$")]
Folder = Annotated[str, Field(max_length=512), AfterValidator(_folder)]
Topic = Annotated[
    str,
    Field(max_length=2_048, pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]*:[0-9]{12}:[A-Za-z0-9_.-]+$"),
]


class SageMakerSettings(Settings):
    """Where results of SageMaker callers go: the `AsyncInferenceConfig` of an endpoint.

    Buckets and topics are yours: the stack declares none of them, it only lets the workers use
    them.
    """

    output_path: Folder | None = None
    """`s3://bucket/folder`; absent: the stack's results bucket, in a folder per tenant."""

    failure_path: Folder | None = None
    """The same for failure documents."""

    success_topic: Topic | None = None
    """The SNS topic, by ARN, that hears of results."""

    error_topic: Topic | None = None
    """The SNS topic, by ARN, that hears of failures."""

    include_response_in: tuple[Literal["success", "error"], ...] = ()
    """In which of the two notifications a body of at most 128 KB travels."""

    @model_validator(mode="after")
    def _has_the_topics_that_it_fills(self) -> Self:
        topics = {"success": self.success_topic, "error": self.error_topic}
        for kind in self.include_response_in:
            if topics[kind] is None:
                raise ValueError(f"include_response_in: there is no {kind}_topic")
        return self
