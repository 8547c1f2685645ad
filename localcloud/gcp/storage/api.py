"""The Cloud Storage API as one piece, and the way other emulated services read and write objects through it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.kms.api import Kms
from localcloud.gcp.regions import Regions
from localcloud.gcp.storage.blobs import Blobs
from localcloud.gcp.storage.buckets import Buckets
from localcloud.gcp.storage.objects import Objects
from localcloud.gcp.storage.uploads import Uploads, blocks_of
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError, Principal, Reader, Request, Response

_API: Final = "/storage/v1"
_UPLOAD: Final = "/upload/storage/v1"
_OBJECTS: Final = re.compile(r"/b/[^/]+/o(/.*)?")
_DOWNLOAD: Final = re.compile(r"/download/storage/v1/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)")
_GS_URI: Final = re.compile(r"gs://(?P<bucket>[^/]+)/(?P<name>.+)")


class Storage:
    """Requests by path, and objects for the other services.

    Args:
        agent: Cloud Storage's own, which uses customers' keys.
        folder: where the bytes of objects lie.
    """

    def __init__(
        self,
        store: DocumentStore,
        kms: Kms,
        policies: Policies,
        judge: Judge,
        agent: Principal,
        regions: Regions,
        folder: Path,
    ) -> None:
        self._blobs = Blobs(folder)
        self.buckets = Buckets(store, kms, policies, judge, agent, regions)
        self._objects = Objects(store, kms, self.buckets, self._blobs)
        self._uploads = Uploads(self._objects, self.buckets, self._blobs)

    def handle(self, request: Request) -> Response:
        """Answer a request of the JSON API."""
        path = request.path
        if path.startswith(f"{_API}/"):
            below = path.removeprefix(_API)
            part = self._objects if _OBJECTS.fullmatch(below) else self.buckets
            return part.handle(request, below)
        if path.startswith(f"{_UPLOAD}/"):
            return self._uploads.handle(request, path.removeprefix(_UPLOAD))
        found = _DOWNLOAD.fullmatch(path)
        if found is not None and request.method in ("GET", "HEAD"):
            return self._objects.download(request, unquote(found["bucket"]), unquote(found["name"]))
        raise ApiError(501, f"The local cloud does not support {request.method} {path}.", reason="notImplemented")

    def blobs_in_use(self) -> frozenset[str]:
        """What `save` shall keep; asked for while the store cannot change."""
        return frozenset(self._objects.blobs_in_use())

    def save(self, folder: Path, blobs: frozenset[str]) -> None:
        """Put these objects' bytes into a folder, for a Storage that starts from it. Raises OSError."""
        self._blobs.link_into(folder, blobs)

    # For the other services, as the principal that they act as. Each raises ApiError, 403 for what it may not do.

    def list(self, principal: Principal, bucket: str, prefix: str = "") -> list[dict[str, Any]]:
        """The metadata of all objects whose names start with `prefix`."""
        self.buckets.judge(principal, "storage.objects.list", bucket)
        return self._objects.versions(bucket, prefix, ("live",))

    def read(self, principal: Principal, bucket: str, name: str) -> Iterator[bytes]:
        """An object's bytes, block by block."""
        self.buckets.judge_object(principal, "storage.objects.get", bucket, name)
        return self._objects.read(self._objects.find(bucket, name, None))

    def write(
        self, principal: Principal, bucket: str, name: str, source: Reader, content_type: str
    ) -> dict[str, Any]:
        """Store an object; returns its metadata."""
        self.buckets.judge_object(principal, "storage.objects.create", bucket, name)
        metadata = {"name": name, "contentType": content_type}
        return self._uploads.store(bucket, metadata, {}, {}, blocks_of(source), principal)

    def copy(self, principal: Principal, bucket: str, name: str, to_bucket: str, to_name: str) -> dict[str, Any]:
        """Copy an object; returns the copy's metadata."""
        self.buckets.judge_object(principal, "storage.objects.get", bucket, name)
        self.buckets.judge_object(principal, "storage.objects.create", to_bucket, to_name)
        return self._objects.copy(self._objects.find(bucket, name, None), to_bucket, to_name, {}, {}, principal)

    def delete(self, principal: Principal, bucket: str, name: str) -> None:
        """Delete an object; in a versioned bucket it becomes noncurrent."""
        self.buckets.judge_object(principal, "storage.objects.delete", bucket, name)
        self._objects.delete(bucket, name, None, {})


def parse_uri(uri: Any) -> tuple[str, str]:
    """Bucket and name of a `gs://` address. Raises ApiError (400)."""
    found = _GS_URI.fullmatch(uri) if isinstance(uri, str) else None
    if found is None:
        raise ApiError(400, f"{uri!r} is not the address of an object, such as gs://bucket/name.")
    return found["bucket"], found["name"]


def checksums(resource: Mapping[str, Any]) -> tuple[str, str]:
    """An object's CRC32C and size, by which copies are compared."""
    return str(resource.get("crc32c")), str(resource.get("size"))
