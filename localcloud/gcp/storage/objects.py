"""Cloud Storage objects: versions, generations, preconditions, retention, soft delete and customer-managed keys.

Reasons of refusals: https://cloud.google.com/storage/docs/json_api/v1/status-codes. An object is stored as its
metadata, which names a blob. What a bucket's soft delete policy keeps, and for how long:
https://cloud.google.com/storage/docs/soft-delete.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import quote

from localcloud.gcp import clock
from localcloud.gcp.kms.api import Kms
from localcloud.gcp.storage import lifecycle
from localcloud.gcp.storage.blobs import Blob, Blobs
from localcloud.gcp.storage.buckets import STATES, Buckets, State, is_versioned, kind_of, retention, soft_delete
from localcloud.gcp.storage.rules import (
    byte_range,
    check_conditions,
    checked_name,
    described,
    disabled_key,
    is_true,
    page,
)
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import OPERATOR, ApiError, Principal, Request, Response, Routes

_BLOB: Final = "sha256"
"""The member of an object's document that names its bytes; the API has no such field."""
_SWEEP_SECONDS: Final = 1.0
"""Between two looks at a bucket's lifecycle rules."""


@dataclass(frozen=True)
class Upload:
    """An object that is about to be written."""

    bucket: Document
    name: str
    blob: Blob
    metadata: Mapping[str, Any]
    """What the client says of it."""
    key_version: str | None
    """That it is encrypted with; None for Google's own keys."""
    principal: Principal = OPERATOR
    """Who writes it: to write an object over takes the right to delete it."""


class Objects:
    """The objects part of the Cloud Storage API but for uploads, and what writes share."""

    def __init__(self, store: DocumentStore, kms: Kms, buckets: Buckets, blobs: Blobs) -> None:
        self._store = store
        self._kms = kms
        self._buckets = buckets
        self._blobs = blobs
        self._last_generation = 0
        self._swept: dict[str, tuple[str, float]] = {}
        self._routes = Routes()
        o = r"/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)"
        to = r"/b/(?P<target>[^/]+)/o/(?P<copy>[^/]+)"
        for method, pattern, handler in (
            ("GET", r"/b/(?P<bucket>[^/]+)/o", self._list),
            ("POST", f"{o}/rewriteTo{to}", self._rewrite),
            ("POST", f"{o}/restore", self._restore),
            ("GET", o, self._get),
            ("PATCH", o, self._patch),
            ("DELETE", o, self._delete),
        ):
            self._routes.add(method, pattern, handler)

    def handle(self, request: Request, path: str) -> Response:
        """Answer a request for `path` below `/storage/v1`."""
        return self._routes.handle(request, path)

    def blobs_in_use(self) -> Iterator[str]:
        """The SHA-256 of the bytes of every version of every object."""
        for bucket in self._buckets.names():
            for state in STATES:
                yield from (document[_BLOB] for _, document in self._store.all(kind_of(bucket, state)))

    # Writes.

    def key_version(self, bucket: Document, asked: str | None) -> str | None:
        """The key version that a new object is encrypted with; None for Google's own keys. Raises ApiError."""
        key = asked or (bucket.get("encryption") or {}).get("defaultKmsKeyName")
        if not key:
            return None
        key = key.split("/cryptoKeyVersions/", 1)[0]
        self._buckets.check_key(key, bucket["location"])
        try:
            return self._kms.primary(key)
        except ApiError as e:
            if e.code == 503:
                raise
            raise disabled_key(e.message) from e

    def write(self, upload: Upload, conditions: Mapping[str, str]) -> dict[str, Any]:
        """Make an object the live version, unless a precondition fails; returns its metadata."""
        bucket, name = str(upload.bucket["name"]), checked_name(upload.name)
        metadata = described(upload.metadata)
        with self._store.lock:
            self._buckets.require(bucket)  # it may have gone while the bytes arrived
            current = self._store.get(kind_of(bucket, "live"), name)
            check_conditions(conditions, current)
            if current is not None:
                self._buckets.judge_object(upload.principal, "storage.objects.delete", bucket, name)
                self._retire(upload.bucket, current)
            document = self._new(upload, metadata)
            self._store.put(kind_of(bucket, "live"), name, document)
        return _view(document)

    def _new(self, upload: Upload, metadata: Mapping[str, Any]) -> dict[str, Any]:
        bucket, blob = upload.bucket, upload.blob
        moment = clock.now()
        generation, now = self._next_generation(), clock.text(moment)
        held = {"retentionExpirationTime": clock.text(moment + retention(bucket))} if retention(bucket) else {}
        return {
            "contentType": "application/octet-stream",
            "storageClass": bucket["storageClass"],
            **metadata,
            "kind": "storage#object",
            "id": f"{bucket['name']}/{upload.name}/{generation}",
            "name": upload.name,
            "bucket": bucket["name"],
            "generation": str(generation),
            "metageneration": "1",
            "size": str(blob.size_bytes),
            "md5Hash": blob.md5,
            "crc32c": blob.crc32c,
            "etag": f"{generation}-1",
            "timeCreated": now,
            "updated": now,
            "timeStorageClassUpdated": now,
            **held,
            **({"kmsKeyName": upload.key_version} if upload.key_version else {}),
            _BLOB: blob.sha256,
        }

    def copy(
        self,
        source: Document,
        bucket: str,
        name: str,
        query: Mapping[str, str],
        changes: Mapping[str, Any],
        principal: Principal,
    ) -> dict[str, Any]:
        """Write an object with the bytes of a version, and its metadata but for `changes`. Raises ApiError."""
        self._require_readable(source)
        destination = self._buckets.require(bucket)
        version = self.key_version(destination, query.get("destinationKmsKeyName"))
        blob = Blob(source[_BLOB], int(source["size"]), source["crc32c"], source["md5Hash"])
        kept = described({k: v for k, v in source.items() if k in ("contentType", "contentEncoding", "metadata")})
        return self.write(Upload(destination, name, blob, {**kept, **changes}, version, principal), query)

    def _rewrite(self, request: Request, bucket: str, name: str, target: str, copy: str) -> Response:
        source = self.find(bucket, name, request.query.get("sourceGeneration"))
        check_conditions(
            {k.replace("ifSource", "if", 1): v for k, v in request.query.items() if k.startswith("ifSource")}, source
        )
        conditions = {k: v for k, v in request.query.items() if not k.startswith("ifSource")}
        resource = self.copy(source, target, copy, conditions, described(request.json()), request.principal)
        size = {"totalBytesRewritten": resource["size"], "objectSize": resource["size"]}
        return Response.of({"kind": "storage#rewriteResponse", **size, "done": True, "resource": resource})

    def _patch(self, request: Request, bucket: str, name: str) -> Response:
        body = request.json()
        changes = {**described(body), **{k: None for k, v in body.items() if v is None}}
        with self._store.lock:
            document = self.find(bucket, name, request.query.get("generation"), states=("live",))
            check_conditions(request.query, document)
            number = int(document["metageneration"]) + 1
            changed = {k: v for k, v in {**document, **changes}.items() if v is not None}
            changed |= {
                "metageneration": str(number),
                "etag": f"{document['generation']}-{number}",
                "updated": clock.now_text(),
            }
            return Response.of(_view(self._store.put(kind_of(bucket, "live"), name, changed)))

    def _delete(self, request: Request, bucket: str, name: str) -> Response:
        self.delete(bucket, name, request.query.get("generation"), request.query)
        return Response(204)

    def delete(self, bucket: str, name: str, generation: str | None, conditions: Mapping[str, str]) -> None:
        """Delete a version for good, or the live one without a generation, which then may become noncurrent."""
        settings = self._buckets.require(bucket)
        with self._store.lock:
            document = self.find(bucket, name, generation, states=("live", "noncurrent"))
            check_conditions(conditions, document)
            if generation:
                self._remove(settings, document)
            else:
                self._retire(settings, document)

    def _retire(self, bucket: Document, live: Document) -> None:
        """Take the live version away: it becomes noncurrent in a bucket with versions, and goes elsewhere."""
        if not is_versioned(bucket):
            self._remove(bucket, live)
            return
        self._store.put(
            kind_of(bucket["name"], "noncurrent"), _version(live), {**live, "timeDeleted": clock.now_text()}
        )
        self._store.delete(kind_of(bucket["name"], "live"), live["name"])

    def _remove(self, bucket: Document, document: Document) -> None:
        """Delete a version for good, which leaves it soft-deleted for as long as the bucket's policy says."""
        until = clock.parse(document["timeCreated"]) + retention(bucket)
        if until > clock.now():
            message = (
                f"Object is under active retention and cannot be deleted or overwritten until {clock.text(until)}."
            )
            raise ApiError(403, message, reason="retentionPolicyNotMet")
        kept_for = soft_delete(bucket)
        if kept_for > timedelta():
            now = clock.now()
            times = {"softDeleteTime": clock.text(now), "hardDeleteTime": clock.text(now + kept_for)}
            self._store.put(kind_of(bucket["name"], "softDeleted"), _version(document), {**document, **times})
        self._store.delete(kind_of(bucket["name"], "noncurrent"), _version(document))
        live = self._store.get(kind_of(bucket["name"], "live"), document["name"])
        if live is not None and live["generation"] == document["generation"]:
            self._store.delete(kind_of(bucket["name"], "live"), document["name"])

    def _restore(self, request: Request, bucket: str, name: str) -> Response:
        """A soft-deleted version becomes the live one, with a generation of its own; it stays soft-deleted too."""
        source = self.find(bucket, name, request.query.get("generation"), states=("softDeleted",))
        return Response.of(self.copy(source, bucket, name, request.query, {}, request.principal))

    def _sweep(self, bucket: Document) -> None:
        """Do what the bucket's lifecycle rules say, unless that was done just now."""
        rules, name = lifecycle.rules_of(bucket), str(bucket["name"])
        settings, last = self._swept.get(name, ("", 0.0))
        if not rules or (settings == bucket["metageneration"] and time.monotonic() < last + _SWEEP_SECONDS):
            return
        with self._store.lock:
            self._swept[name] = str(bucket["metageneration"]), time.monotonic()
            live = dict(self._store.all(kind_of(name, "live")))
            versions: dict[str, list[Document]] = {}
            for _, document in (*self._store.all(kind_of(name, "noncurrent")), *live.items()):
                versions.setdefault(document["name"], []).append(document)
            for object_name, found in versions.items():
                self._act_on(bucket, rules, found, object_name in live)

    def _act_on(
        self, bucket: Document, rules: list[Mapping[str, Any]], versions: list[Document], has_live: bool
    ) -> None:
        """Carry the rules out on the versions of one object, the newest last."""
        for place, version in enumerate(versions):
            newer, is_live = len(versions) - 1 - place, has_live and place == len(versions) - 1
            action = lifecycle.decide(rules, version, live=is_live, newer=newer, now=clock.now())
            if action is None:
                continue
            if action["type"] == "SetStorageClass":
                kind = kind_of(bucket["name"], "live" if is_live else "noncurrent")
                changed = {**version, "storageClass": action["storageClass"]}
                self._store.put(kind, version["name"] if is_live else _version(version), changed)
            elif clock.parse(version["timeCreated"]) + retention(bucket) <= clock.now():
                self._retire(bucket, version) if is_live else self._remove(bucket, version)

    # Reads.

    def find(
        self, bucket: str, name: str, generation: str | None, states: Iterable[State] = ("live", "noncurrent")
    ) -> Document:
        """The version of this generation, or the live one without. Raises ApiError (404)."""
        self._sweep(self._buckets.require(bucket))
        for state in states:
            if state == "live":
                found = self._store.get(kind_of(bucket, state), name)
                found = found if found and generation in (None, "", found["generation"]) else None
            else:
                found = self._store.get(kind_of(bucket, state), f"{name}\x1f{int(generation or 0):020d}")
            if found is not None and not _is_over(found):
                return found
        raise ApiError(404, f"No such object: {bucket}/{name}", reason="notFound")

    def versions(self, bucket: str, prefix: str, states: Iterable[State]) -> list[dict[str, Any]]:
        """The metadata of all versions in these states whose names start with `prefix`, in the order of listings."""
        self._sweep(self._buckets.require(bucket))
        found = [d for state in states for _, d in self._store.all(kind_of(bucket, state), prefix) if not _is_over(d)]
        return [_view(d) for d in sorted(found, key=lambda d: (d["name"], int(d["generation"])))]

    def _list(self, request: Request, bucket: str) -> Response:
        states: tuple[State, ...] = ("live", "noncurrent") if is_true(request.query.get("versions")) else ("live",)
        if is_true(request.query.get("softDeleted")):
            states = ("softDeleted",)
        return Response.of(page(self.versions(bucket, request.query.get("prefix", ""), states), request.query))

    def _get(self, request: Request, bucket: str, name: str) -> Response:
        if request.query.get("alt") == "media":
            return self.download(request, bucket, name)
        states: tuple[State, ...] = ("live", "noncurrent")
        if is_true(request.query.get("softDeleted")):
            states = ("softDeleted",)
        document = self.find(bucket, name, request.query.get("generation"), states)
        check_conditions(request.query, document)
        return Response.of(_view(document))

    def download(self, request: Request, bucket: str, name: str) -> Response:
        """The object's bytes, as they were stored, if its key version is enabled."""
        document = self.find(bucket, name, request.query.get("generation"))
        check_conditions(request.query, document)
        size = int(document["size"])
        part = byte_range(request.headers.get("range"), size)
        start, length = part or (0, size)
        headers = _download_headers(document)
        if part:
            headers.append(("Content-Range", f"bytes {start}-{start + length - 1}/{size}"))
        return Response(206 if part else 200, headers, self.read(document, start, length), length)

    def read(self, document: Document, start: int = 0, size_bytes: int | None = None) -> Iterator[bytes]:
        """A version's bytes. Raises ApiError: 400 if its key version is not enabled, 403 if not granted."""
        self._require_readable(document)
        return self._blobs.read(document[_BLOB], start, int(document["size"]) if size_bytes is None else size_bytes)

    def _require_readable(self, document: Document) -> None:
        version = document.get("kmsKeyName")
        if version:
            try:
                self._kms.require_enabled(version)
            except ApiError as e:
                if e.code == 503:
                    raise
                raise disabled_key(e.message) from e
            self._buckets.check_use("useToDecrypt", version)

    def _next_generation(self) -> int:
        self._last_generation = max(self._last_generation + 1, time.time_ns() // 1000)
        return self._last_generation


def _version(document: Document) -> str:
    return f"{document['name']}\x1f{int(document['generation']):020d}"


def _is_over(document: Document) -> bool:
    """Whether a soft-deleted version's time is up."""
    until = document.get("hardDeleteTime")
    return until is not None and clock.parse(until) <= clock.now()


def _view(document: Document) -> dict[str, Any]:
    return {k: v for k, v in document.items() if k != _BLOB}


def _download_headers(document: Document) -> list[tuple[str, str]]:
    headers = {
        "Content-Type": document["contentType"],
        "Content-Encoding": document.get("contentEncoding"),
        "Content-Disposition": document.get("contentDisposition"),
        "Content-Language": document.get("contentLanguage"),
        "Cache-Control": document.get("cacheControl"),
        "ETag": f'"{document["etag"]}"',
        "Last-Modified": format_datetime(clock.parse(document["updated"]), usegmt=True),
        "X-Goog-Generation": document["generation"],
        "X-Goog-Metageneration": document["metageneration"],
        "X-Goog-Storage-Class": document["storageClass"],
        "X-Goog-Stored-Content-Encoding": document.get("contentEncoding", "identity"),
        "X-Goog-Stored-Content-Length": document["size"],
        **{
            f"X-Goog-Meta-{k}": quote(str(v), safe=" !#$&'()*+,/:;=?@[]")
            for k, v in document.get("metadata", {}).items()
        },
    }
    hashes = [("X-Goog-Hash", f"crc32c={document['crc32c']}"), ("X-Goog-Hash", f"md5={document['md5Hash']}")]
    return [(name, value) for name, value in headers.items() if value] + hashes
