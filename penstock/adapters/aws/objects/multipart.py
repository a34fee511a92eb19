"""One object in many parts, under a condition.

boto3's managed transfer does the same without a condition: its list of arguments for uploads
lacks `IfNoneMatch` and `IfMatch` (s3transfer 0.19).
"""

import logging
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call
from penstock.adapters.aws.objects.new_object import PART_BYTES, Condition, NewObject
from penstock.contracts.errors import UnavailableError
from penstock.contracts.origin import Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

logger = logging.getLogger(__name__)

_MOST_PARTS = 10_000  # S3


def put_in_parts(s3: "S3Client", new: NewObject, body: BinaryIO, condition: Condition) -> None:
    """Store what is read from `body`, holding one part of it in memory.

    S3 checks the condition when the parts are put together; until then nothing is seen of them.
    """
    place = new.place
    with aws_call("begin upload"):
        upload_id = s3.create_multipart_upload(
            Bucket=place.bucket,
            Key=place.key,
            ContentType=new.content_type,
            Metadata=new.metadata,
            # What boto3 computes of each part must be announced here, or S3 refuses the parts.
            ChecksumAlgorithm="CRC32",
        )["UploadId"]
    try:
        part_bytes = max(PART_BYTES, -(-new.size_bytes // _MOST_PARTS))
        parts = _sent_parts(s3, place, upload_id, body, part_bytes)
        with aws_call("complete upload"):
            s3.complete_multipart_upload(
                Bucket=place.bucket,
                Key=place.key,
                UploadId=upload_id,
                MultipartUpload={"Parts": parts},
                **condition,
            )
    except BaseException:
        _abort(s3, place, upload_id)
        raise


def _sent_parts(
    s3: "S3Client", place: Location, upload_id: str, body: BinaryIO, part_bytes: int
) -> list["CompletedPartTypeDef"]:
    parts: list[CompletedPartTypeDef] = []
    while part := body.read(part_bytes):
        number = len(parts) + 1
        with aws_call("upload part"):
            sent = s3.upload_part(
                Bucket=place.bucket,
                Key=place.key,
                UploadId=upload_id,
                PartNumber=number,
                Body=part,
                ChecksumAlgorithm="CRC32",
            )
        done: CompletedPartTypeDef = {"PartNumber": number, "ETag": sent["ETag"]}
        if checksum := sent.get("ChecksumCRC32"):
            done["ChecksumCRC32"] = checksum
        parts.append(done)
    return parts


def _abort(s3: "S3Client", place: Location, upload_id: str) -> None:
    """Give back what the parts take; the bucket's lifecycle does it where this fails."""
    try:
        with aws_call("abort upload"):
            s3.abort_multipart_upload(Bucket=place.bucket, Key=place.key, UploadId=upload_id)
    except (ClientError, UnavailableError) as error:
        logger.warning("upload not aborted", extra={"key": place.key, "reason": str(error)})
