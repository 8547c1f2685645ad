"""Amazon S3 as an object store, over boto3."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    NoCredentialsError,
)

from common.aws_api import aws_session
from common.errors import UserError
from common.target import Target
from ops.objects.journal import Journal
from ops.objects.s3_parts import part_bytes_for, send_in_parts
from ops.objects.store import (
    SMALL_OBJECT_BYTES,
    ChecksumMismatchError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectInfo,
    ObjectMissingError,
    Tagged,
    file_sha256,
)

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 60
ATTEMPTS = 3
CHUNK_BYTES = 1024 * 1024
COPY_BYTES = 5 * 1024**3
"""Up to this size S3 copies an object in one request, above it in parts (S3's reference, CopyObject, 2026-11-21)."""
COPY_PART_BYTES = 512 * 1024**2
_COPIES = TransferConfig(multipart_threshold=COPY_BYTES, multipart_chunksize=COPY_PART_BYTES)
ONE_REQUEST_BYTES = 64 * 1024 * 1024
"""Up to this size a file travels in one request, from the disk: S3 then checks the SHA-256 of the whole."""


class S3ObjectStore:
    """One S3 bucket.

    Args:
        bucket: its name.
        region: its region, e.g. `eu-central-1`; None takes the caller's own default.
        target: where S3 is; an emulated one is addressed by path, and needs no credentials of the user's.
        connections: most requests at once; no smaller than the number of threads that use this store.
    """

    def __init__(
        self,
        bucket: str,
        region: str | None,
        target: Target,
        connections: int = 16,
        *,
        one_request_bytes: int = ONE_REQUEST_BYTES,
        part_bytes: int = SMALL_OBJECT_BYTES,
        journals: Path | None = None,
    ) -> None:
        self._bucket = bucket
        self._one_request_bytes = one_request_bytes
        self._part_bytes = part_bytes
        self._journals = journals
        self._where = target.aws_endpoint_url or "Amazon S3"
        emulated = target.mode == "emulated"
        self._client: Any = aws_session(target).client(
            "s3",
            region_name=region,
            endpoint_url=target.aws_endpoint_url,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=connections,
                s3={"addressing_style": "path" if emulated else "auto"},
                # Writes bring a SHA-256 of their own, reads ask for the check where nobody else makes it.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    @property
    def bucket(self) -> str:
        return self._bucket

    @property
    def uri(self) -> str:
        return f"s3://{self._bucket}"

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with self._explained(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                for item in page.get("Contents", []):
                    yield ObjectInfo(item["Key"], item["Size"], item["LastModified"])

    def versions(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with self._explained(prefix):
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                for item in page.get("Versions", []):
                    yield ObjectInfo(item["Key"], item["Size"], item["LastModified"], item["VersionId"])

    def head(self, key: str) -> ObjectInfo | None:
        try:
            with self._explained(key):
                found = self._client.head_object(Bucket=self._bucket, Key=key)
        except ObjectMissingError:
            return None
        return ObjectInfo(key, found["ContentLength"], found["LastModified"], found.get("VersionId"))

    def get(self, key: str, version: str | None = None) -> bytes:
        with self._explained(key):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=key, ChecksumMode="ENABLED", **_versioned(version)
            )
            return answer["Body"].read()

    def get_tagged(self, key: str) -> Tagged:
        with self._explained(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
            return Tagged(answer["Body"].read(), answer["ETag"])

    def get_file(self, key: str, path: Path) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                digest = self._read(key, file.write)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return digest

    def sha256(self, key: str, version: str | None = None) -> str:
        return self._read(key, lambda _: None, version)

    def _read(self, key: str, write: Any, version: str | None = None) -> str:
        digest = hashlib.sha256()
        with self._explained(key):
            body = self._client.get_object(Bucket=self._bucket, Key=key, **_versioned(version))["Body"]
            for chunk in body.iter_chunks(CHUNK_BYTES):
                digest.update(chunk)
                write(chunk)
        return digest.hexdigest()

    def put(
        self,
        key: str,
        data: bytes,
        *,
        only_create: bool = False,
        only_over: str | None = None,
        sha256: str | None = None,
    ) -> None:
        # One that exists is answered by 412, one that is being written by 409 (`PutObject` in botocore 1.44.5, read
        # 2026-11-21), a version that is gone by 404 (believed).
        condition = {"IfNoneMatch": "*"} if only_create else {"IfMatch": only_over} if only_over else {}
        try:
            self._put(key, data, sha256 or hashlib.sha256(data).hexdigest(), condition)
        except (ObjectExistsError, ObjectMissingError) as error:
            if only_over is None:
                raise
            raise ObjectChangedError(error.uri) from error

    def _put(self, key: str, body: bytes | BinaryIO, sha256: str, condition: Mapping[str, str]) -> None:
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        with self._explained(key):
            answer = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ChecksumSHA256=checksum, **condition
            )
        if answer.get("ChecksumSHA256", checksum) != checksum:
            raise ChecksumMismatchError(f"{self.uri}/{key}")

    def put_file(self, key: str, path: Path, *, sha256: str | None = None) -> None:
        size = path.stat().st_size
        if size <= self._one_request_bytes:
            with path.open("rb") as file:
                self._put(key, file, sha256 or file_sha256(path), {})
            return
        journal = Journal.of(f"{self.uri}/{key}", sha256 or file_sha256(path), self._where, self._journals)
        with self._explained(key):
            send_in_parts(
                self._client,
                self._bucket,
                key,
                path,
                sha256=sha256,
                part_bytes=part_bytes_for(size, self._part_bytes),
                journal=journal,
            )

    def copy(self, source_bucket: str, source_key: str, key: str, version: str | None = None) -> None:
        source: Any = {"Bucket": source_bucket, "Key": source_key, **_versioned(version)}
        with self._explained(key, source=f"s3://{source_bucket}/{source_key}"):
            self._client.copy(
                source,
                self._bucket,
                key,
                ExtraArgs={"ChecksumAlgorithm": "SHA256"},
                Config=_COPIES,
            )

    def delete(self, key: str) -> None:
        with self._explained(key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def purge(self, key: str, version: str) -> None:
        with self._explained(key):
            self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)

    @contextmanager
    def _explained(self, key: str, source: str | None = None) -> Iterator[None]:
        """Turns botocore's errors into this module's, or into one that says what the user can do."""
        uri = f"{self.uri}/{key}"
        try:
            yield
        except FlexibleChecksumError as error:
            raise ChecksumMismatchError(uri) from error
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            if code in ("NoSuchKey", "404", "NotFound"):
                raise ObjectMissingError(source or uri) from error
            if code in ("BadDigest", "XAmzContentSHA256Mismatch"):
                raise ChecksumMismatchError(uri) from error
            if code in ("PreconditionFailed", "412", "ConditionalRequestConflict"):
                raise ObjectExistsError(uri) from error
            if code == "NoSuchBucket":
                raise UserError(
                    f"the bucket {self._bucket!r} does not exist",
                    f"{self._where}, {unquote(uri)}",
                    "Bring the stack up first, or name another stack.",
                ) from error
            message = error.response.get("Error", {}).get("Message", "")
            raise UserError(
                f"S3 refused the request: {code}: {message}",
                f"{self._where}, {unquote(uri)}",
                "Check the credentials' rights on the bucket, and that the bucket's key is enabled.",
            ) from error
        except NoCredentialsError as error:
            raise UserError(
                "there are no AWS credentials",
                f"{self._where}, {uri}",
                "Log in to AWS, or choose the local cloud with `--target local`.",
            ) from error
        except (HTTPClientError, BotoCoreError) as error:
            raise UserError(
                f"S3 gave no answer: {type(error).__name__}",
                f"{self._where}, {uri}",
                "Check that the endpoint is up and reachable, then run the command again.",
            ) from error


def _versioned(version: str | None) -> dict[str, Any]:
    return {"VersionId": version} if version else {}
