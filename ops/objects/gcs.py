"""Google Cloud Storage as an object store, over google-cloud-storage."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from common.errors import UserError
from common.gcp_api import storage_client
from common.target import Target
from ops.objects.gcs_session import send_in_session
from ops.objects.journal import Journal
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

with warnings.catch_warnings():
    # On import, Google's libraries warn about a Python version a year before its end, and about packages that only
    # their gRPC clients need: nothing that a user of this could act on.
    warnings.simplefilter("ignore")
    from google.api_core import exceptions as api_errors
    from google.auth import exceptions as auth_errors
    from google.cloud.exceptions import NotFound
    from google.cloud.storage.exceptions import DataCorruption
    from google.cloud.storage.retry import DEFAULT_RETRY

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 60
RETRY_FOR_S = 15
# The library takes these values everywhere, and annotates them nowhere as it documents them.
_TIMEOUT: Any = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
_NO_CHECKSUM: Any = None
_NO_GENERATION = 0
"""As a precondition: there must be no live object with this name."""


class GcsObjectStore:
    """One Cloud Storage bucket.

    Args:
        bucket: its name.
        target: where Cloud Storage is; an emulated one is called without credentials.
        connections: most requests at once; no smaller than the number of threads that use this store.
        retry_for_s: seconds for which a request that may succeed later is made again.
        part_bytes: a larger file is sent in requests of so much, a multiple of 256 KiB.
        journals: the folder for the records of uploads that have begun; in the cache by default.
    """

    def __init__(
        self,
        bucket: str,
        target: Target,
        connections: int = 16,
        *,
        retry_for_s: float = RETRY_FOR_S,
        part_bytes: int = SMALL_OBJECT_BYTES,
        journals: Path | None = None,
    ) -> None:
        self._bucket = bucket
        self._part_bytes = part_bytes
        self._journals = journals
        self._retry: Any = DEFAULT_RETRY.with_timeout(retry_for_s)
        self._where = target.gcp_endpoint_url or "Cloud Storage"
        try:
            client = storage_client(target)
        except (auth_errors.GoogleAuthError, OSError) as error:
            raise UserError(
                f"there are no Google Cloud credentials: {error}",
                f"gs://{bucket}",
                "Log in to Google Cloud, or choose the local cloud with `--target local`.",
            ) from error
        # The library's own pool is smaller than the number of threads, and would drop connections.
        adapter = HTTPAdapter(pool_connections=connections, pool_maxsize=connections)
        client._http.mount("https://", adapter)
        client._http.mount("http://", adapter)
        self._client = client
        self._handle = client.bucket(bucket)

    @property
    def bucket(self) -> str:
        return self._bucket

    @property
    def uri(self) -> str:
        return f"gs://{self._bucket}"

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        yield from self._listed(prefix, versions=False)

    def versions(self, prefix: str = "") -> Iterator[ObjectInfo]:
        yield from self._listed(prefix, versions=True)

    def _listed(self, prefix: str, *, versions: bool) -> Iterator[ObjectInfo]:
        with self._explained(prefix, listing=True):
            blobs = self._client.list_blobs(
                self._bucket, prefix=prefix, versions=versions, timeout=_TIMEOUT, retry=self._retry
            )
            for blob in blobs:
                yield _info(blob)

    def head(self, key: str) -> ObjectInfo | None:
        with self._explained(key):
            blob = self._handle.get_blob(key, timeout=_TIMEOUT, retry=self._retry)
        return _info(blob) if blob is not None else None

    def get(self, key: str, version: str | None = None) -> bytes:
        with self._explained(key):
            blob = self._handle.blob(key, generation=_generation(version))
            return blob.download_as_bytes(raw_download=True, checksum="crc32c", timeout=_TIMEOUT, retry=self._retry)

    def get_tagged(self, key: str) -> Tagged:
        with self._explained(key):
            blob = self._handle.blob(key)
            data = blob.download_as_bytes(raw_download=True, checksum="crc32c", timeout=_TIMEOUT, retry=self._retry)
            return Tagged(data, str(blob.generation))  # the answer's, of the bytes that came

    def get_file(self, key: str, path: Path) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                sink = _Hashing(file.write)
                self._read(key, sink)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return sink.hexdigest()

    def sha256(self, key: str, version: str | None = None) -> str:
        sink = _Hashing(lambda _: None)
        self._read(key, sink, version)
        return sink.hexdigest()

    def _read(self, key: str, sink: _Hashing, version: str | None = None) -> None:
        with self._explained(key):
            blob = self._handle.blob(key, generation=_generation(version))
            # The library's own check reads the same bytes once more; the caller compares the SHA-256.
            self._client.download_blob_to_file(
                blob, sink, raw_download=True, checksum=_NO_CHECKSUM, timeout=_TIMEOUT, retry=self._retry
            )

    def put(
        self,
        key: str,
        data: bytes,
        *,
        only_create: bool = False,
        only_over: str | None = None,
        sha256: str | None = None,
    ) -> None:
        del sha256  # Cloud Storage checks CRC32C and MD5 only
        replaced = int(only_over) if only_over else None
        try:
            with self._explained(key):
                self._handle.blob(key).upload_from_string(
                    data,
                    content_type="application/octet-stream",
                    checksum="crc32c",
                    if_generation_match=_NO_GENERATION if only_create else replaced,
                    timeout=_TIMEOUT,
                    retry=self._retry,
                )
        except ObjectExistsError as error:
            if only_over is None:
                raise
            raise ObjectChangedError(error.uri) from error

    def put_file(self, key: str, path: Path, *, sha256: str | None = None) -> None:
        if path.stat().st_size <= self._part_bytes:
            data = path.read_bytes()
            if sha256 and hashlib.sha256(data).hexdigest() != sha256:
                raise ChecksumMismatchError(str(path))
            self.put(key, data)
            return
        journal = Journal.of(f"{self.uri}/{key}", sha256 or file_sha256(path), self._where, self._journals)
        with self._explained(key):
            send_in_session(
                self._handle.blob(key),
                self._client._http,
                path,
                sha256=sha256,
                block_bytes=self._part_bytes,
                journal=journal,
                timeout=_TIMEOUT,
            )

    def copy(self, source_bucket: str, source_key: str, key: str, version: str | None = None) -> None:
        with self._explained(key, source=f"gs://{source_bucket}/{source_key}"):
            source = self._client.bucket(source_bucket).blob(source_key, generation=_generation(version))
            copied = self._handle.blob(key)
            token, _, _ = copied.rewrite(source, timeout=_TIMEOUT, retry=self._retry)
            while token is not None:
                token, _, _ = copied.rewrite(source, token=token, timeout=_TIMEOUT, retry=self._retry)

    def delete(self, key: str) -> None:
        try:
            with self._explained(key):
                self._handle.blob(key).delete(timeout=_TIMEOUT, retry=self._retry)
        except ObjectMissingError:
            return

    def purge(self, key: str, version: str) -> None:
        with self._explained(key):
            blob = self._handle.blob(key, generation=_generation(version))
            blob.delete(timeout=_TIMEOUT, retry=self._retry)

    @contextmanager
    def _explained(self, key: str, source: str | None = None, listing: bool = False) -> Iterator[None]:
        """Turns the library's errors into this module's, or into one that says what the user can do."""
        uri = f"{self.uri}/{key}"
        try:
            yield
        except DataCorruption as error:
            raise ChecksumMismatchError(uri) from error
        except NotFound as error:
            # The service answers 404 for a missing object and for a missing bucket; a listing has no object.
            if listing or self._has_no_bucket():
                raise UserError(
                    f"the bucket {self._bucket!r} does not exist",
                    f"{self._where}, {uri}",
                    "Bring the stack up first, or name another stack.",
                ) from error
            raise ObjectMissingError(source or uri) from error
        except api_errors.PreconditionFailed as error:
            raise ObjectExistsError(uri) from error
        except api_errors.RetryError as error:
            raise self._silent(uri, error.cause or error) from error
        except (requests.RequestException, auth_errors.TransportError) as error:
            raise self._silent(uri, error) from error
        except auth_errors.GoogleAuthError as error:
            raise UserError(
                f"Google Cloud's credentials do not work: {type(error).__name__}",
                uri,
                "Log in to Google Cloud, or choose the local cloud with `--target local`.",
            ) from error
        except api_errors.GoogleAPICallError as error:
            raise UserError(
                f"Cloud Storage refused the request: {error.code}: {error.message}",
                f"{self._where}, {uri}",
                "Check the credentials' rights on the bucket, and that the bucket's key is enabled.",
            ) from error

    def _has_no_bucket(self) -> bool:
        try:
            next(self.list(), None)
        except UserError:
            return True
        return False

    def _silent(self, uri: str, cause: BaseException) -> UserError:
        return UserError(
            f"Cloud Storage gave no answer: {type(cause).__name__}",
            f"{self._where}, {uri}",
            "Check that the endpoint is up and reachable, then run the command again.",
        )


class _Hashing:
    """A file object to write to, which hashes what passes through."""

    def __init__(self, write: Any) -> None:
        self._write = write
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self._write(data)
        return len(data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _generation(version: str | None) -> int | None:
    return int(version) if version else None


def _info(blob: Any) -> ObjectInfo:
    generation = str(blob.generation) if blob.generation is not None else None
    modified = blob.updated or blob.time_created or datetime.fromtimestamp(0, UTC)
    return ObjectInfo(blob.name, int(blob.size), modified, generation)
