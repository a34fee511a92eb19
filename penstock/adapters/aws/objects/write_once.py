"""Objects that are written once, whoever tries to write them again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.adapters.aws.objects.multipart import put_in_parts
from penstock.adapters.aws.objects.new_object import (
    ATTEMPT,
    HTTP_STATUS,
    OWNER,
    Condition,
    NewObject,
)
from penstock.adapters.contents import rewound
from penstock.contracts.errors import ObjectGoneError, UnavailableError
from penstock.contracts.origin import Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import RequestId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_PUT_ATTEMPTS = 4
_LOST_RACES = {
    "PreconditionFailed",
    "ConditionalRequestConflict",  # another write of this key is under way and may yet fail
    "NoSuchKey",  # what was to be replaced has gone
}
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_FORBIDDEN = {"403", "AccessDenied", "Forbidden"}


@dataclass(frozen=True)
class _Existing:
    place: Location
    head: "HeadObjectOutputTypeDef"

    @property
    def _metadata(self) -> "Mapping[str, str]":
        return self.head.get("Metadata", {})

    def belongs_to(self, owner: RequestId | None) -> bool:
        """Whether it is of this request; at our own places each has a key of its own."""
        return owner is None or self._metadata.get(OWNER) == owner

    def stands_for(self, new: NewObject) -> bool:
        """Whether it may be adopted in the place of a new one."""
        is_earlier = new.attempt is not None and self.attempt < new.attempt
        return self.belongs_to(new.owner) and not is_earlier

    @property
    def attempt(self) -> int:
        """Which attempt it tells of."""
        return int(self._metadata.get(ATTEMPT, "0"))

    @property
    def stored(self) -> StoredObject:
        http_status = self._metadata.get(HTTP_STATUS)
        return StoredObject(
            bucket=self.place.bucket,
            key=self.place.key,
            content_type=self.head["ContentType"],
            size_bytes=self.head["ContentLength"],
            http_status=int(http_status) if http_status else None,
        )


class WriteOnceBucket:
    """A bucket of our own, and places in others'."""

    def __init__(self, bucket: str, s3: "S3Client") -> None:
        self._bucket = bucket
        self._s3 = s3

    @property
    def bucket(self) -> str:
        """Our own bucket."""
        return self._bucket

    def read(self, stored: StoredObject) -> bytes:
        """Return the bytes of a stored object."""
        try:
            with aws_call("read object"):
                return self._s3.get_object(Bucket=stored.bucket, Key=stored.key)["Body"].read()
        except ClientError as error:
            if error_code(error) not in self._absent_from(stored.bucket):
                raise
            raise ObjectGoneError(stored.uri) from error

    def _own(self, key: str) -> Location:
        return Location(bucket=self._bucket, key=key)

    def _put_once(self, new: NewObject) -> StoredObject:
        """Store an object unless one lies there that stands for it; return what lies there then."""
        code = ""
        # One HEAD before many parts, which might be sent in vain.
        looks = new.is_sent_in_parts
        for _ in range(_PUT_ATTEMPTS):
            existing = self._find(new.place) if looks else None
            if existing is not None and existing.stands_for(new):
                return existing.stored
            condition: Condition = {"IfNoneMatch": "*"}
            if existing is not None:
                condition = {"IfMatch": existing.head["ETag"]}
            try:
                self._write(new, condition)
            except ClientError as error:
                code = error_code(error)
                if code not in _LOST_RACES:
                    raise
                looks = True
            else:
                return new.stored
        raise UnavailableError("store object", code)

    def _write(self, new: NewObject, condition: Condition) -> None:
        body = rewound(new.body)
        if not isinstance(body, bytes) and new.is_sent_in_parts:
            put_in_parts(self._s3, new, body, condition)
            return
        with aws_call("store object"):
            self._s3.put_object(
                Bucket=new.place.bucket,
                Key=new.place.key,
                Body=body,
                ContentType=new.content_type,
                Metadata=new.metadata,
                **condition,
            )

    def _remove(self, existing: _Existing) -> None:
        """Remove what was found, unless something else lies there by now."""
        try:
            with aws_call("remove object"):
                self._s3.delete_object(
                    Bucket=existing.place.bucket,
                    Key=existing.place.key,
                    IfMatch=existing.head["ETag"],
                )
        except ClientError as error:
            if error_code(error) not in _LOST_RACES:
                raise

    def _find(self, place: Location) -> _Existing | None:
        try:
            with aws_call("find object"):
                head = self._s3.head_object(Bucket=place.bucket, Key=place.key)
        except ClientError as error:
            if error_code(error) in self._absent_from(place.bucket):
                return None
            raise
        return _Existing(place, head)

    def _absent_from(self, bucket: str) -> set[str]:
        """Return the codes by which S3 says that a bucket has no such object.

        HEAD has no body to carry a code. To a role without s3:ListBucket S3 says 403 instead of
        404, and AWS does not say what counts as the prefix of a missing key. In our own bucket it
        may only be absent: a policy that is wrong shows at the next write.
        """
        return _ABSENT | _FORBIDDEN if bucket == self._bucket else _ABSENT
