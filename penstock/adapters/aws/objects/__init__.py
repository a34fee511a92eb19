"""Payloads and results in S3."""

from penstock.adapters.aws.objects.payloads import S3PayloadStore
from penstock.adapters.aws.objects.results import S3ResultStore

__all__ = ["S3PayloadStore", "S3ResultStore"]
