"""Buckets and topics of callers, which no stack declares: what our roles may do with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from infra.components.permissions import Statement, allow
from infra.settings.model_settings import DeploymentSettings
from infra.settings.models.caller_places import in_policy


@dataclass(frozen=True, kw_only=True)
class CallerPlaces:
    """What some deployments name, each place once, in a fixed order."""

    input_buckets: tuple[str, ...]
    output_folders: tuple[str, ...]
    """`bucket` or `bucket/folder`."""

    failure_folders: tuple[str, ...]
    success_topics: tuple[str, ...]
    error_topics: tuple[str, ...]

    @classmethod
    def of(cls, deployments: Iterable[DeploymentSettings]) -> Self:
        """Return the places that `deployments` name."""
        given = list(deployments)
        sagemaker = [deployment.sagemaker for deployment in given]
        return cls(
            input_buckets=_once(bucket for d in given for bucket in d.input_buckets),
            output_folders=_once(_folder(s.output_path) for s in sagemaker),
            failure_folders=_once(_folder(s.failure_path) for s in sagemaker),
            success_topics=_once(s.success_topic for s in sagemaker),
            error_topics=_once(s.error_topic for s in sagemaker),
        )

    @property
    def buckets(self) -> tuple[str, ...]:
        """Every bucket."""
        folders = (*self.output_folders, *self.failure_folders)
        return _once((*self.input_buckets, *(folder.partition("/")[0] for folder in folders)))

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic."""
        return _once((*self.success_topics, *self.error_topics))

    def statements_to_read_inputs(self) -> list[Statement]:
        """Allow to read inputs, or to learn that one is absent."""
        return _some(
            ("s3:GetObject", [f"arn:aws:s3:::{bucket}/*" for bucket in self.input_buckets]),
            ("s3:ListBucket", _buckets(self.input_buckets)),
        )

    def statements_to_fetch(self) -> list[Statement]:
        """Allow to read results and failure documents, or to learn that one is absent."""
        folders = _once((*self.output_folders, *self.failure_folders))
        return _some(("s3:GetObject", _objects(folders)), ("s3:ListBucket", _buckets(folders)))

    def statements_to_work(self) -> list[Statement]:
        """Allow what a dispatcher does: read inputs, store results and failures, tell of both."""
        return [
            *self.statements_to_read_inputs(),
            *self.statements_to_fetch(),
            *_some(
                ("s3:PutObject", _objects(_once((*self.output_folders, *self.failure_folders)))),
                ("s3:DeleteObject", _objects(self.failure_folders)),
                ("s3:AbortMultipartUpload", _objects(self.output_folders)),
                ("sns:Publish", self.topics),
            ),
        ]

    def statements_to_give_up(self) -> list[Statement]:
        """Allow what the sweeper does: store failures or find what is stored, tell of both."""
        return [
            *self.statements_to_fetch(),
            *_some(
                ("s3:PutObject", _objects(self.failure_folders)),
                ("s3:DeleteObject", _objects(self.failure_folders)),
                ("sns:Publish", self.topics),
            ),
        ]


def _once(found: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({place for place in found if place is not None}))


def _folder(uri: str | None) -> str | None:
    return uri.removeprefix("s3://") if uri is not None else None


def _objects(folders: Iterable[str]) -> list[str]:
    return [f"arn:aws:s3:::{in_policy(folder)}/*" for folder in folders]


def _buckets(folders: Iterable[str]) -> list[str]:
    return [f"arn:aws:s3:::{bucket}" for bucket in _once(f.partition("/")[0] for f in folders)]


def _some(*grants: tuple[str, Iterable[str]]) -> list[Statement]:
    """Return a statement for each grant of something: IAM refuses an empty list."""
    return [allow(action, found) for action, resources in grants if (found := list(resources))]
