"""Buckets and topics of callers that a deployment may use."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from infra.settings.settings import Settings

BUCKETS_LENGTH = 20
"""How many buckets a deployment may read: a role's own policy ends at 10,240 characters."""

_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_FOLDER = re.compile(rf"s3://{_BUCKET}(/.*)?")
_MEANS_MORE = re.compile("[*?$]")
_FOLDER_LENGTH = 512
"""In policies; a role's own end at 10,240 characters."""


def in_policy(folder: str) -> str:
    """Return a folder as a policy names just this one."""
    return _MEANS_MORE.sub(lambda found: f"${{{found[0]}}}", folder)


def _folder(uri: str) -> str:
    if not _FOLDER.fullmatch(uri):
        raise ValueError(f"{uri!r} is not of the form s3://bucket/folder")
    if not (uri.isascii() and uri.isprintable()):
        raise ValueError(
            f"{uri!r} has characters that the header cannot carry in which callers are told the"
            " place; printable ASCII is taken"
        )
    if len(in_policy(uri)) > _FOLDER_LENGTH:
        reason = f"it is longer than {_FOLDER_LENGTH} characters; each of * ? $ counts four"
        raise ValueError(f"{uri!r}: {reason}")
    parts = uri.removeprefix("s3://").rstrip("/").split("/")
    if not all(parts) or {".", ".."} & set(parts):
        raise ValueError(f"{uri!r} has an empty part, or one of dots")
    return uri.rstrip("/")


BucketName = Annotated[str, Field(pattern=f"^{_BUCKET}$")]
Folder = Annotated[str, Field(max_length=_FOLDER_LENGTH), AfterValidator(_folder)]
Topic = Annotated[
    str,
    Field(max_length=2_048, pattern=r"^arn:aws:sns:[a-z0-9-]*:[0-9]{12}:[A-Za-z0-9_.-]+$"),
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
