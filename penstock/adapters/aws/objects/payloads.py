"""Inputs in S3: our own copies, callers' uploads and callers' own objects."""

import uuid
from contextlib import closing
from typing import BinaryIO

from penstock.adapters.aws.availability import aws_call
from penstock.adapters.aws.objects.new_object import NewObject
from penstock.adapters.aws.objects.refusals import REFUSALS, reason_of
from penstock.adapters.aws.objects.write_once import WriteOnceBucket
from penstock.adapters.object_keys import is_upload_of, payload_key, uploads_folder
from penstock.contracts.errors import InputUnreadableError
from penstock.contracts.origin import InputLocation, Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.objects import Upload
from penstock.contracts.request import RequestId, Tenant

_CHUNK_BYTES = 1024 * 1024


class S3PayloadStore(WriteOnceBucket):
    """`PayloadStore` over one bucket, reading from others too."""

    def put(self, request_id: RequestId, payload: bytes, content_type: str) -> StoredObject:
        """Store the payload of a request; a repeat finds it stored."""
        place = self._own(payload_key(request_id, payload, content_type))
        return self._put_once(NewObject(place=place, body=payload, content_type=content_type))

    def fetch(self, location: InputLocation, into: BinaryIO, max_bytes: int) -> str:
        """Copy what a caller put somewhere, piece by piece."""
        try:
            with aws_call("fetch input"):
                found = self._s3.get_object(Bucket=location.bucket, Key=location.key)
                with closing(found["Body"]) as body:
                    if (size_bytes := found["ContentLength"]) > max_bytes:
                        raise _unreadable(location, f"{size_bytes} bytes are more than {max_bytes}")
                    for chunk in body.iter_chunks(_CHUNK_BYTES):
                        into.write(chunk)
        except REFUSALS as error:
            if (reason := reason_of(error, "reading")) is None:
                raise
            raise _unreadable(location, reason) from error
        return location.content_type or found.get("ContentType") or "application/octet-stream"

    def upload(self, tenant: Tenant, content_type: str, lifetime_seconds: int) -> Upload:
        """Return a fresh place; signing is local, no call is made."""
        place = self._own(f"{uploads_folder(tenant)}{uuid.uuid4()}")
        url = self._s3.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": place.bucket,
                "Key": place.key,
                "ContentType": content_type,
                # Once a request points to it, it must stay what it is.
                "IfNoneMatch": "*",
            },
            ExpiresIn=lifetime_seconds,
        )
        return Upload(
            location=place,
            url=url,
            headers={"Content-Type": content_type, "If-None-Match": "*"},
            expires_in_seconds=lifetime_seconds,
        )

    def may_read(self, tenant: Tenant, location: Location) -> bool:
        """Whether it is an upload of this tenant."""
        return location.bucket == self._bucket and is_upload_of(tenant, location.key)


def _unreadable(location: Location, reason: str) -> InputUnreadableError:
    return InputUnreadableError(f"The input {location.uri} cannot be read: {reason}.")
