"""The Cloud Storage API as one piece, and the way other emulated services read and write objects through it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.kms.api import Kms
from localcloud.gcp.storage.buckets import Buckets
from localcloud.gcp.storage.objects import Objects
from localcloud.gcp.storage.uploads import Uploads
from localcloud.gcp.storage.upstream import Upstream
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError, BoundedBody, EmptyBody, Reader, Request, Response

_API: Final = "/storage/v1"
_UPLOAD: Final = "/upload/storage/v1"
_DOWNLOAD: Final = re.compile(r"/download/storage/v1/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)")
_XML_OBJECT: Final = re.compile(r"/(?P<bucket>[a-z0-9][a-z0-9._-]+)/(?P<name>.+)")
_GS_URI: Final = re.compile(r"gs://(?P<bucket>[^/]+)/(?P<name>.+)")


class Storage:
    """Requests by path, and objects for the other services."""

    def __init__(self, store: DocumentStore, kms: Kms, policies: Policies, upstream: Upstream) -> None:
        self.objects = Objects(store, kms, upstream)
        self.buckets = Buckets(store, kms, policies, upstream, self.objects.is_empty)
        self.objects.buckets = self.buckets
        self._uploads = Uploads(self.objects)

    def handle(self, request: Request) -> Response:
        """Answer a request of the JSON API, or a download of the XML API, which Triton's client uses."""
        path = request.path
        if path.startswith(f"{_API}/"):
            below = path.removeprefix(_API)
            objects = below.startswith("/b/") and "/o" in below[2:] and re.match(r"/b/[^/]+/o(/|$)", below)
            return self.objects.handle(request, below) if objects else self.buckets.handle(request, below)
        if path.startswith(f"{_UPLOAD}/"):
            return self._uploads.handle(request, path.removeprefix(_UPLOAD))
        found = _DOWNLOAD.fullmatch(path)
        if found is None and not path.startswith(("/batch/", "/upload/", "/download/")):
            found = _XML_OBJECT.fullmatch(path)
        if found is not None and request.method in ("GET", "HEAD"):
            return self.objects.download(request, found["bucket"], found["name"])
        raise ApiError(501, f"The local cloud does not support {request.method} {path}.", reason="notImplemented")

    # For the other services.

    def get(self, bucket: str, name: str) -> dict[str, Any] | None:
        """An object's metadata, or None."""
        try:
            return self._json(Request("GET", _object(bucket, name)))
        except ApiError as e:
            if e.code == 404 and self.buckets.require(bucket):
                return None
            raise

    def list(self, bucket: str, prefix: str = "") -> Iterator[dict[str, Any]]:
        """The metadata of all objects whose names start with `prefix`."""
        token: str | None = None
        while True:
            query = {"prefix": prefix, **({"pageToken": token} if token else {})}
            page = self._json(Request("GET", f"{_API}/b/{quote(bucket, safe='')}/o", query))
            yield from page.get("items", [])
            token = page.get("nextPageToken")
            if token is None:
                return

    def read(self, bucket: str, name: str) -> Iterator[bytes]:
        """An object's bytes, block by block."""
        response = self.objects.download(Request("GET", ""), quote(bucket, safe=""), quote(name, safe=""))
        return iter((response.body,)) if isinstance(response.body, bytes) else response.body

    def write(self, bucket: str, name: str, source: Reader, length: int, content_type: str) -> dict[str, Any]:
        """Store an object of `length` bytes; returns its metadata."""
        query = {"uploadType": "media", "name": name}
        path = f"{_UPLOAD}/b/{quote(bucket, safe='')}/o"
        body = BoundedBody(source, length) if length else EmptyBody()
        headers = {"content-type": content_type}
        return self._json(Request("POST", path, query, headers, body, urlencode(query), length))

    def copy(self, bucket: str, name: str, to_bucket: str, to_name: str) -> dict[str, Any]:
        """Copy an object; returns the copy's metadata."""
        return self._json(
            Request("POST", f"{_object(bucket, name)}/copyTo{_object(to_bucket, to_name)[len(_API) :]}")
        )

    def delete(self, bucket: str, name: str) -> None:
        """Delete an object; in a versioned bucket it becomes noncurrent."""
        self.handle(Request("DELETE", _object(bucket, name)))

    def _json(self, request: Request) -> dict[str, Any]:
        body = self.handle(request).body
        return json.loads(body if isinstance(body, bytes) else b"".join(body))


def _object(bucket: str, name: str) -> str:
    return f"{_API}/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"


def parse_uri(uri: Any) -> tuple[str, str]:
    """Bucket and name of a `gs://` address. Raises ApiError (400)."""
    found = _GS_URI.fullmatch(uri) if isinstance(uri, str) else None
    if found is None:
        raise ApiError(400, f"{uri!r} is not the address of an object, such as gs://bucket/name.")
    return found["bucket"], found["name"]


def checksums(resource: Mapping[str, Any]) -> tuple[str, str]:
    """An object's CRC32C and size, by which copies are compared."""
    return str(resource.get("crc32c")), str(resource.get("size"))
