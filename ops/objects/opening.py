"""Opens the object store that a URI names."""

from __future__ import annotations

from common.errors import UserError
from common.target import Target
from ops.objects.store import ObjectStore


def open_store(uri: str, target: Target, region: str | None = None, connections: int = 16) -> ObjectStore:
    """The bucket of `s3://bucket` or `gs://bucket`; `region` matters to S3 only.

    Raises:
        UserError: the URI has another scheme, or no bucket, or there are no credentials.
    """
    scheme, _, bucket = uri.partition("://")
    bucket = bucket.rstrip("/")
    if bucket and "/" not in bucket:
        if scheme == "s3":
            from ops.objects.s3 import S3ObjectStore  # each cloud's library is slow to import

            return S3ObjectStore(bucket, region, target, connections)
        if scheme == "gs":
            from ops.objects.gcs import GcsObjectStore

            return GcsObjectStore(bucket, target, connections)
    raise UserError(
        f"{uri!r} is not the address of a bucket",
        "the stack's outputs",
        "Bring the stack up to date: it must be s3://BUCKET or gs://BUCKET.",
    )
