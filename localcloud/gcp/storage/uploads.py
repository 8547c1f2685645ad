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
from email.message import Message
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from localcloud.gcp.storage.checksums import Declared, Running, declared, verified
from localcloud.gcp.storage.objects import Objects
from localcloud.gcp.storage.upstream import Answer, body_blocks
from localcloud.gcp.wire import ApiError, Request, Response, read_all

MAX_MULTIPART_BYTES: Final = 256 * 1024 * 1024
_UPLOAD: Final = re.compile(r"/b/(?P<bucket>[^/]+)/o/?")
_RANGE: Final = re.compile(r"bytes (?:(?P<start>\d+)-(?P<end>\d+)|\*)/(?P<total>\d+|\*)")


@dataclass
class Session:
    """A resumable upload that has begun."""

    bucket: str
    name: str
    key_version: str | None
    conditions: Mapping[str, str]
    expected: Declared
    running: Running
    received: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Uploads:
    """The `/upload/storage/v1` part of the Cloud Storage API."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._sessions: dict[str, Session] = {}

    def handle(self, request: Request, path: str) -> Response:
        """Answer a request for `path` below `/upload/storage/v1`."""
        found = _UPLOAD.fullmatch(path)
        if found is None or request.method not in ("POST", "PUT", "DELETE"):
            raise ApiError(
                404, f"The local cloud has no method for {request.method} {request.path}.", reason="notFound"
            )
        upload_id = request.query.get("upload_id")
        if upload_id:
            return self._cancel(upload_id) if request.method == "DELETE" else self._continue(request, upload_id)
        bucket = unquote(found["bucket"])
        kind = request.query.get("uploadType")
        if kind == "media":
            return self._simple(request, bucket)
        if kind == "multipart":
            return self._multipart(request, bucket)
        if kind == "resumable":
            return self._begin(request, bucket)
        raise ApiError(400, f"Invalid uploadType: {kind!r}", reason="invalidParameter")

    def _simple(self, request: Request, bucket: str) -> Response:
        document = self._objects.buckets.require(bucket)
        version = self._objects.key_version(document, request.query.get("kmsKeyName"))
        expected = declared({}, request.headers)
        running = Running(md5=expected.md5 is not None)

        def send() -> Answer:
            return self._objects.upstream.forward(request, verified(body_blocks(request), expected, running))

        return self._objects.write(document, request.query.get("name", ""), request.query, version, send)

    def _multipart(self, request: Request, bucket: str) -> Response:
        document = self._objects.buckets.require(bucket)
        version = self._objects.key_version(document, request.query.get("kmsKeyName"))
        data = read_all(request.body, MAX_MULTIPART_BYTES)
        metadata, start, end = split_multipart(request.headers.get("content-type", ""), data)
        expected = declared(metadata, request.headers)
        if expected != Declared():
            running = Running(md5=expected.md5 is not None)
            running.update(data[start:end])
            running.verify(expected)
        request.length = len(data)
        name = request.query.get("name") or str(metadata.get("name") or "")
        return self._objects.write(
            document, name, request.query, version, lambda: self._objects.upstream.forward(request, iter((data,)))
        )

    def _begin(self, request: Request, bucket: str) -> Response:
        document = self._objects.buckets.require(bucket)
        version = self._objects.key_version(document, request.query.get("kmsKeyName"))
        data = read_all(request.body, MAX_MULTIPART_BYTES)
        try:
            metadata = json.loads(data) if data else {}
        except ValueError as e:
            raise ApiError(400, f"The object's metadata is not JSON: {e}.", reason="parseError") from e
        name = request.query.get("name") or str(metadata.get("name") or "")
        if not name:
            raise ApiError(400, "Required parameter: name", reason="required")
        request.length = len(data)
        answer = self._objects.upstream.forward(request, iter((data,)) if data else None)
        answer.raise_error()
        response = answer.to_response()
        location = answer.headers.get("Location", "")
        (upload_id,) = parse_qs(urlsplit(location).query)["upload_id"]
        expected = declared(metadata, request.headers)
        conditions = {k: v for k, v in request.query.items() if k.startswith("if")}
        running = Running(md5=expected.md5 is not None)
        self._sessions[upload_id] = Session(bucket, name, version, conditions, expected, running)
        return response

    def _continue(self, request: Request, upload_id: str) -> Response:
        session = self._sessions.get(upload_id)
        if session is None:
            raise ApiError(410, "The upload session is gone.", reason="gone")
        with session.lock:
            part = content_range(request.headers.get("content-range"), session.received, request.length)
            if part.is_query or part.start != session.received:
                return incomplete(session.received)
            expected = session.expected.merged(declared({}, request.headers)) if part.is_last else Declared()
            running = session.running.copy()
            length = Counter(verified(body_blocks(request), expected, running))
            if not part.is_last:
                answer = self._objects.upstream.forward(request, iter(length))
                if answer.status not in (200, 308):
                    answer.raise_error()
                session.running, session.received = running, session.received + length.bytes
                return answer.to_response()
            document = self._objects.buckets.require(session.bucket)
            response = self._objects.write(
                document,
                session.name,
                session.conditions,
                session.key_version,
                lambda: self._objects.upstream.forward(request, iter(length)),
            )
            self._sessions.pop(upload_id, None)
            return response

    def _cancel(self, upload_id: str) -> Response:
        self._sessions.pop(upload_id, None)
        return Response(499)


class Counter:
    """Blocks, counted as they pass."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.bytes += len(block)
            yield block


@dataclass(frozen=True)
class Part:
    """What a request of a resumable upload carries."""

    start: int
    is_last: bool
    is_query: bool = False


def content_range(header: str | None, received: int, length: int | None) -> Part:
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


def split_multipart(content_type: str, data: bytes) -> tuple[Mapping[str, Any], int, int]:
    """The metadata of a `multipart/related` upload, and where its media begins and ends. Raises ApiError (400)."""
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
    try:
        metadata = json.loads(data[head:second])
    except ValueError as e:
        raise ApiError(400, f"The object's metadata is not JSON: {e}.", reason="parseError") from e
    if not isinstance(metadata, dict) or start > end:
        raise bad
    return metadata, start, end


def _after_headers(data: bytes, begin: int, end: int) -> int:
    ends = [(at, len(gap)) for gap in (b"\r\n\r\n", b"\n\n") if (at := data.find(gap, begin, end + 4)) >= 0]
    if not ends:
        raise ApiError(400, "The multipart upload is malformed.", reason="badRequest")
    at, width = min(ends)
    return at + width
