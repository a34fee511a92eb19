"""Payloads and results in S3, each written once."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.adapters.payload_key import payload_key
from penstock.contracts.errors import UnavailableError
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import RequestId

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PUT_ATTEMPTS = 4


class _WriteOnceBucket:
    def __init__(self, bucket: str, s3: "S3Client") -> None:
        self._bucket = bucket
        self._s3 = s3

    def read(self, stored: StoredObject) -> bytes:
        """Return the bytes of a stored object."""
        with aws_call("read object"):
            return self._s3.get_object(Bucket=stored.bucket, Key=stored.key)["Body"].read()

    def _put_once(self, key: str, body: bytes, content_type: str) -> StoredObject:
        """Store an object unless it exists; return what lies there then."""
        code = ""
        for _ in range(_PUT_ATTEMPTS):
            try:
                with aws_call("store object"):
                    self._s3.put_object(
                        Bucket=self._bucket,
                        Key=key,
                        Body=body,
                        ContentType=content_type,
                        IfNoneMatch="*",
                    )
            except ClientError as error:
                code = error_code(error)
                # A conflict: another write of this key is under way and may yet fail.
                if code not in {"PreconditionFailed", "ConditionalRequestConflict"}:
                    raise
                if code == "PreconditionFailed" and (existing := self._find(key)):
                    return existing
            else:
                return self._stored(key, content_type, len(body))
        raise UnavailableError("store object", code)

    def _find(self, key: str) -> StoredObject | None:
        try:
            with aws_call("find object"):
                head = self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            # HEAD has no body to carry a code. S3 says 403 instead of 404 to a role without
            # s3:ListBucket; that is a wrong policy and passes as it is.
            if error_code(error) in {"404", "NoSuchKey", "NotFound"}:
                return None
            raise
        return self._stored(key, head["ContentType"], head["ContentLength"])

    def _stored(self, key: str, content_type: str, size_bytes: int) -> StoredObject:
        return StoredObject(
            bucket=self._bucket, key=key, content_type=content_type, size_bytes=size_bytes
        )


class S3PayloadStore(_WriteOnceBucket):
    """`PayloadStore` over one bucket."""

    def put(self, request_id: RequestId, payload: bytes, content_type: str) -> StoredObject:
        """Store the payload of a request; a repeat finds it stored."""
        return self._put_once(payload_key(request_id, payload, content_type), payload, content_type)


class S3ResultStore(_WriteOnceBucket):
    """`ResultStore` over one bucket."""

    def put_result(self, request_id: RequestId, body: bytes, content_type: str) -> StoredObject:
        """Store the result of a request unless it exists."""
        return self._put_once(f"results/{request_id}", body, content_type)

    def put_failure(self, request_id: RequestId, body: bytes) -> StoredObject:
        """Store the failure document of a request unless it exists."""
        return self._put_once(f"failures/{request_id}", body, "application/json")

    def drop_failure(self, request_id: RequestId) -> None:
        """Remove the failure document of a request."""
        with aws_call("drop failure document"):
            self._s3.delete_object(Bucket=self._bucket, Key=f"failures/{request_id}")

    def find_result(self, request_id: RequestId) -> StoredObject | None:
        """Return the result that a dead attempt may have left."""
        return self._find(f"results/{request_id}")

    def url(self, stored: StoredObject, lifetime_seconds: int) -> str:
        """Return a presigned URL; signing is local, no call is made."""
        return self._s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": stored.bucket,
                "Key": stored.key,
                "ResponseContentType": stored.content_type,
            },
            ExpiresIn=lifetime_seconds,
        )
