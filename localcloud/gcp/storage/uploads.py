"""Uploads to Cloud Storage: simple, multipart and resumable, with declared checksums and preconditions enforced.

https://cloud.google.com/storage/docs/uploads-downloads; resumable uploads:
https://cloud.google.com/storage/docs/performing-resumable-uploads.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any, Final
from urllib.parse import quote, unquote
from uuid import uuid4

from localcloud.gcp.storage.blobs import Blobs, Incoming
from localcloud.gcp.storage.buckets import Buckets
from localcloud.gcp.storage.checksums import Declared, declared
from localcloud.gcp.storage.objects import Objects, Upload
from localcloud.gcp.wire import BLOCK_BYTES, ApiError, Principal, Reader, Request, Response, read_all

MAX_MULTIPART_BYTES: Final = 256 * 1024 * 1024
_UPLOAD: Final = re.compile(r"/b/(?P<bucket>[^/]+)/o/?")
_RANGE: Final = re.compile(r"bytes (?:(?P<start>\d+)-(?P<end>\d+)|\*)/(?P<total>\d+|\*)")


@dataclass
class Session:
    """A resumable upload that has begun."""

    bucket: str
    metadata: Mapping[str, Any]
    query: Mapping[str, str]
    expected: Declared
    incoming: Incoming
    principal: Principal
    """Who began it; whoever knows its address goes on with it."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Uploads:
    """The `/upload/storage/v1` part of the Cloud Storage API. Sessions end with the process."""

    def __init__(self, objects: Objects, buckets: Buckets, blobs: Blobs) -> None:
        self._objects = objects
        self._buckets = buckets
        self._blobs = blobs
        self._sessions: dict[str, Session] = {}

    def handle(self, request: Request, path: str) -> Response:
        """Answer a request for `path` below `/upload/storage/v1`."""
        found = _UPLOAD.fullmatch(path)
        if found is None or request.method not in ("POST", "PUT", "DELETE"):
            message = f"The local cloud has no method for {request.method} {request.path}."
            raise ApiError(404, message, reason="notFound")
        upload_id = request.query.get("upload_id")
        if upload_id:
            return self._cancel(upload_id) if request.method == "DELETE" else self._continue(request, upload_id)
        bucket = unquote(found["bucket"])
        self._buckets.require(bucket)
        kind = request.query.get("uploadType")
        if kind == "media":
            metadata = {"contentType": request.headers.get("content-type")}
            blocks = blocks_of(request.body)
            return Response.of(
                self.store(bucket, metadata, request.query, request.headers, blocks, request.principal)
            )
        if kind == "multipart":
            data = read_all(request.body, MAX_MULTIPART_BYTES)
            parts = split_multipart(request.headers.get("content-type", ""), data)
            metadata = {"contentType": parts.content_type, **parts.metadata}
            blocks = iter((parts.media,))
            return Response.of(
                self.store(bucket, metadata, request.query, request.headers, blocks, request.principal)
            )
        if kind == "resumable":
            return self._begin(request, bucket)
        raise ApiError(400, f"Invalid uploadType: {kind!r}", reason="invalidParameter")

    def store(
        self,
        bucket: str,
        metadata: Mapping[str, Any],
        query: Mapping[str, str],
        headers: Mapping[str, str],
        blocks: Iterator[bytes],
        principal: Principal,
    ) -> dict[str, Any]:
        """Store an object that comes in one request; returns its metadata. Raises ApiError."""
        settings = self._buckets.require(bucket)
        version = self._objects.key_version(settings, query.get("kmsKeyName"))
        name = query.get("name") or str(metadata.get("name") or "")
        blob = self._blobs.add(blocks, declared(metadata, headers))
        return self._objects.write(Upload(settings, name, blob, metadata, version, principal), query)

    def _begin(self, request: Request, bucket: str) -> Response:
        metadata = {
            "contentType": request.headers.get("x-upload-content-type"),
            **_metadata(read_all(request.body, MAX_MULTIPART_BYTES)),
        }
        self._objects.key_version(self._buckets.require(bucket), request.query.get("kmsKeyName"))
        if not (request.query.get("name") or metadata.get("name")):
            raise ApiError(400, "Required parameter: name", reason="required")
        upload_id = uuid4().hex
        expected = declared(metadata, request.headers)
        self._sessions[upload_id] = Session(
            bucket, metadata, request.query, expected, self._blobs.begin(), request.principal
        )
        host = request.headers.get("host", "localhost")
        path = f"/upload/storage/v1/b/{quote(bucket, safe='')}/o?uploadType=resumable&upload_id={upload_id}"
        return Response(200, [("Location", f"http://{host}{path}"), ("X-GUploader-UploadID", upload_id)])

    def _continue(self, request: Request, upload_id: str) -> Response:
        session = self._sessions.get(upload_id)
        if session is None:
            raise ApiError(410, "The upload session is gone.", reason="gone")
        incoming = session.incoming
        with session.lock:
            part = content_range(request.headers.get("content-range"), incoming.size_bytes, request.length)
            if part.is_query or part.start != incoming.size_bytes:
                return incomplete(incoming.size_bytes)
            incoming.append(blocks_of(request.body))
            if not part.is_last:
                return incomplete(incoming.size_bytes)
            self._sessions.pop(upload_id, None)
            blob = self._blobs.keep(incoming, session.expected.merged(declared({}, request.headers)))
            settings = self._buckets.require(session.bucket)
            version = self._objects.key_version(settings, session.query.get("kmsKeyName"))
            name = session.query.get("name") or str(session.metadata["name"])
            upload = Upload(settings, name, blob, session.metadata, version, session.principal)
            return Response.of(self._objects.write(upload, session.query))

    def _cancel(self, upload_id: str) -> Response:
        session = self._sessions.pop(upload_id, None)
        if session is not None:
            session.incoming.drop()
        return Response(499)


def blocks_of(body: Reader) -> Iterator[bytes]:
    """A body, block by block."""
    while block := body.read(BLOCK_BYTES):
        yield block


@dataclass(frozen=True)
class Part:
    """What a request of a resumable upload carries."""

    start: int
    is_last: bool
    is_query: bool = False


def content_range(header: str | None, received: int, length: int) -> Part:
    """What a `Content-Range` says. Raises ApiError (400) for one that is malformed.

    Without the header the request carries all that is left. `bytes */N` with an empty body asks how much has
    arrived, or ends an upload whose size was unknown.
    """
    if header is None:
        return Part(received, is_last=True)
    found = _RANGE.fullmatch(header.strip())
    if found is None:
        raise ApiError(400, f"Invalid Content-Range: {header!r}", reason="badRequest")
    total = found["total"]
    if found["start"] is None:
        ends = total != "*" and int(total) == received
        return Part(received, is_last=ends, is_query=not ends and not length)
    return Part(int(found["start"]), is_last=total != "*" and int(found["end"]) + 1 >= int(total))


def incomplete(received: int) -> Response:
    """The 308 that says how much has arrived."""
    return Response(308, [("Range", f"bytes=0-{received - 1}")] if received else [])


@dataclass(frozen=True)
class Multipart:
    """A `multipart/related` upload."""

    metadata: Mapping[str, Any]
    content_type: str | None
    media: bytes


def split_multipart(content_type: str, data: bytes) -> Multipart:
    """The parts of a `multipart/related` upload. Raises ApiError (400)."""
    message = Message()
    message["content-type"] = content_type.replace("'", '"')
    boundary = message.get_param("boundary")
    bad = ApiError(400, "The multipart upload is malformed.", reason="badRequest")
    if not isinstance(boundary, str):
        raise bad
    mark = b"--" + boundary.encode()
    first = data.find(mark)
    second = data.find(b"\n" + mark, first + len(mark))
    last = data.rfind(b"\n" + mark)
    if first < 0 or second < 0 or last <= second:
        raise bad
    head = _after_headers(data, first, second)
    start = _after_headers(data, second + 1, last)
    end = last - 1 if data[last - 1 : last] == b"\r" else last
    metadata = _metadata(data[head:second])
    if start > end:
        raise bad
    headers = message_from_bytes(data[data.index(b"\n", second + 1) + 1 : start])
    return Multipart(metadata, headers["content-type"], data[start:end])


def _metadata(data: bytes) -> dict[str, Any]:
    """An object's metadata as JSON; empty for nothing. Raises ApiError (400)."""
    try:
        metadata = json.loads(data) if data.strip() else {}
    except ValueError as e:
        raise ApiError(400, f"The object's metadata is not JSON: {e}.", reason="parseError") from e
    if not isinstance(metadata, dict):
        raise ApiError(400, "The object's metadata is not a JSON object.", reason="parseError")
    return metadata


def _after_headers(data: bytes, begin: int, end: int) -> int:
    ends = [(at, len(gap)) for gap in (b"\r\n\r\n", b"\n\n") if (at := data.find(gap, begin, end + 4)) >= 0]
    if not ends:
        raise ApiError(400, "The multipart upload is malformed.", reason="badRequest")
    at, width = min(ends)
    return at + width
