"""Cloud Storage objects: what fake-gcs-server stores, with generations, preconditions and customer-managed keys.

The front keeps for each object its generation and the key version that it is encrypted with, and for each
noncurrent version its metadata; the bytes of noncurrent versions lie in a bucket of their own that no client
sees. fake-gcs-server's file system backend cannot hold `a` and `a/b` side by side. Reasons of refusals:
https://cloud.google.com/storage/docs/json_api/v1/status-codes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from localcloud.gcp import clock
from localcloud.gcp.kms.api import Kms
from localcloud.gcp.storage.buckets import Buckets, is_versioned, retention
from localcloud.gcp.storage.rules import check_conditions, checked_name, disabled_key, is_true, order, page
from localcloud.gcp.storage.upstream import Answer, Upstream
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, Request, Response, Routes

NONCURRENT_BUCKET: Final = "seawall-noncurrent-versions"
_LOCKS: Final = 64

Finalized = Callable[[str, str], None]


@dataclass(frozen=True)
class Source:
    """Where the bytes of an object version lie in fake-gcs-server."""

    bucket: str
    name: str
    resource: Mapping[str, Any] | None = None
    """The metadata of a noncurrent version."""


class Objects:
    """The objects part of the Cloud Storage API but for uploads, and what writes share."""

    def __init__(self, store: DocumentStore, kms: Kms, upstream: Upstream) -> None:
        self._store = store
        self._kms = kms
        self.upstream = upstream
        self.buckets: Buckets
        self.on_finalize: list[Finalized] = []
        """Called with bucket and name after an object was written."""
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._routes = Routes()
        b, o = "/b/(?P<bucket>[^/]+)/o", "/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)"
        target = "/b/(?P<target>[^/]+)/o/(?P<copy>[^/]+)"
        for method, pattern, handler in (
            ("GET", f"{b}/?", self._list),
            ("POST", rf"{o}/(?P<verb>rewriteTo|copyTo){target}", self._copy),
            ("POST", f"{o}/compose", self._compose),
            ("GET", o, self._get),
            ("HEAD", o, self._get),
            ("PATCH", o, self._patch),
            ("PUT", o, self._patch),
            ("DELETE", o, self._delete),
        ):
            self._routes.add(method, pattern, handler)

    def handle(self, request: Request, path: str) -> Response:
        """Answer a request for `path` below `/storage/v1`."""
        return self._routes.handle(request, path)

    def is_empty(self, bucket: str) -> bool:
        """Whether no version of any object is left."""
        kinds = (_live(bucket), _noncurrent(bucket))
        return not any(True for kind in kinds for _ in self._store.all(kind))

    # Writes.

    def key_version(self, bucket: Document, asked: str | None) -> str | None:
        """The key version that a new object is encrypted with; None for Google's own keys. Raises ApiError."""
        key = asked or (bucket.get("encryption") or {}).get("defaultKmsKeyName")
        if not key:
            return None
        key = key.split("/cryptoKeyVersions/", 1)[0]
        self.buckets.check_key(key, bucket["location"])
        try:
            return self._kms.primary(key)
        except ApiError as e:
            raise disabled_key(e.message) from e

    def write(
        self,
        bucket: Document,
        name: str,
        conditions: Mapping[str, str],
        key_version: str | None,
        send: Callable[[], Answer],
        *,
        unwrap: str | None = None,
    ) -> Response:
        """Store an object with `send`, unless a precondition fails, and note its generation and key.

        Args:
            bucket: its settings.
            conditions: the request's parameters.
            send: sends the bytes to fake-gcs-server.
            unwrap: the member of the answer that holds the object's metadata; None if it is the answer.
        """
        name = checked_name(name)
        with self._lock_of(bucket["name"], name):
            current = self._store.get(_live(bucket["name"]), name)
            check_conditions(conditions, current)
            if current and not is_versioned(bucket):
                self._check_retention(bucket, current)
            kept = self._keep_noncurrent(bucket, name, current) if current and is_versioned(bucket) else None
            answer = send()
            if answer.status >= 300:
                answer.raise_error()
                return answer.to_response()
            value = answer.json()
            resource = value[unwrap] if unwrap else value
            record = self._record(resource, key_version)
            self._store.put(_live(bucket["name"]), name, record)
            if kept is not None:
                self._retire(bucket["name"], name, kept)
        self._add_view(resource, record)
        for notify in self.on_finalize:
            notify(bucket["name"], name)
        return Response.of(value)

    def _patch(self, request: Request, bucket: str, name: str) -> Response:
        bucket, name = unquote(bucket), unquote(name)
        self.buckets.require(bucket)
        with self._lock_of(bucket, name):
            record = self._require_live(bucket, name)
            check_conditions(request.query, record)
            answer = self.upstream.forward(request)
            answer.raise_error(_no_object(bucket, name))
            resource = answer.json()
            # fake-gcs-server gives a patched object a new generation.
            record = {**record, "generation": str(resource["generation"])}
            self._store.put(_live(bucket), name, record)
        self._add_view(resource, record)
        return Response.of(resource)

    def _copy(self, request: Request, bucket: str, name: str, verb: str, target: str, copy: str) -> Response:
        source = self._source(unquote(bucket), unquote(name), request.query.get("sourceGeneration"))
        self._require_readable(unquote(bucket), unquote(name), source)
        destination = self.buckets.require(unquote(target))
        version = self.key_version(destination, request.query.get("destinationKmsKeyName"))
        path = f"{_object_path(source)}/{verb}/b/{target}/o/{copy}"
        inner = Request(request.method, path, {}, request.headers, request.body, "", request.length)
        return self.write(
            destination,
            unquote(copy),
            request.query,
            version,
            lambda: self.upstream.forward(inner),
            unwrap="resource" if verb == "rewriteTo" else None,
        )

    def _compose(self, request: Request, bucket: str, name: str) -> Response:
        document = self.buckets.require(unquote(bucket))
        body = request.json()
        for part in body.get("sourceObjects", []):
            source = self._source(document["name"], str(part.get("name")), part.get("generation"))
            self._require_readable(document["name"], str(part.get("name")), source)
        version = self.key_version(document, request.query.get("kmsKeyName"))
        data = Response.of(body).body
        assert isinstance(data, bytes)  # noqa: S101 - what `Response.of` makes
        headers = {"content-type": "application/json"}

        def send() -> Answer:
            return self.upstream.send(
                "POST",
                f"/storage/v1{_path(document['name'], unquote(name))}/compose",
                headers,
                iter((data,)),
                len(data),
            )

        return self.write(document, unquote(name), request.query, version, send)

    def _delete(self, request: Request, bucket: str, name: str) -> Response:
        bucket, name = unquote(bucket), unquote(name)
        document = self.buckets.require(bucket)
        generation = request.query.get("generation")
        with self._lock_of(bucket, name):
            record = self._store.get(_live(bucket), name)
            if generation and (record is None or record["generation"] != generation):
                return self._delete_noncurrent(document, name, generation)
            if record is None:
                raise _no_object(bucket, name)
            check_conditions(request.query, record)
            kept = None
            if is_versioned(document) and not generation:
                kept = self._keep_noncurrent(document, name, record)
            else:
                self._check_retention(document, record)
            answer = self.upstream.send("DELETE", f"/storage/v1{_path(bucket, name)}")
            answer.raise_error(_no_object(bucket, name))
            answer.read()
            self._store.delete(_live(bucket), name)
            if kept is not None:
                self._retire(bucket, name, kept)
        return Response(204)

    def _delete_noncurrent(self, bucket: Document, name: str, generation: str) -> Response:
        kind, key = _noncurrent(bucket["name"]), _version_key(name, generation)
        found = self._store.get(kind, key)
        if found is None:
            raise _no_object(bucket["name"], name)
        self._check_retention(bucket, found)
        path = _path(NONCURRENT_BUCKET, _archive_name(bucket["name"], name, generation))
        answer = self.upstream.send("DELETE", f"/storage/v1{path}")
        answer.raise_error()
        answer.read()
        self._store.delete(kind, key)
        return Response(204)

    def _keep_noncurrent(self, bucket: Document, name: str, record: Document) -> dict[str, Any]:
        """Copy a live version aside before it is replaced or removed; returns its metadata."""
        answer = self.upstream.send("GET", f"/storage/v1{_path(bucket['name'], name)}")
        answer.raise_error(_no_object(bucket["name"], name))
        resource = answer.json()
        self._add_view(resource, record)
        archived = _archive_name(bucket["name"], name, record["generation"])
        path = f"/storage/v1{_path(bucket['name'], name)}/copyTo{_path(NONCURRENT_BUCKET, archived)}"
        answer = self.upstream.send("POST", path)
        answer.raise_error()
        answer.read()
        return resource

    def _retire(self, bucket: str, name: str, resource: dict[str, Any]) -> None:
        document = {**resource, "timeDeleted": clock.now_text()}
        self._store.put(_noncurrent(bucket), _version_key(name, str(resource["generation"])), document)

    def _check_retention(self, bucket: Document, record: Mapping[str, Any]) -> None:
        until = clock.parse(record["timeCreated"]) + retention(bucket)
        if until > clock.now():
            message = (
                f"Object is under active retention and cannot be deleted or overwritten until {clock.text(until)}."
            )
            raise ApiError(403, message, reason="retentionPolicyNotMet")

    # Reads.

    def _get(self, request: Request, bucket: str, name: str) -> Response:
        if request.query.get("alt") == "media" or request.method == "HEAD":
            return self.download(request, bucket, name)
        bucket, name = unquote(bucket), unquote(name)
        source = self._source(bucket, name, request.query.get("generation"))
        if source.resource is not None:
            return Response.of(source.resource)
        record = self._require_live(bucket, name)
        check_conditions(request.query, record)
        answer = self.upstream.send("GET", f"/storage/v1{_path(bucket, name)}")
        answer.raise_error(_no_object(bucket, name))
        resource = answer.json()
        self._add_view(resource, record)
        return Response.of(resource)

    def download(self, request: Request, bucket: str, name: str) -> Response:
        """The object's bytes, if its key version is enabled. `bucket` and `name` are percent-encoded."""
        decoded, plain = unquote(bucket), unquote(name)
        source = self._source(decoded, plain, request.query.get("generation"))
        self._require_readable(decoded, plain, source)
        if source.resource is None:
            check_conditions(request.query, self._require_live(decoded, plain))
        headers = {k: v for k, v in request.headers.items() if k in ("range", "accept-encoding")}
        answer = self.upstream.send(request.method, f"/download{_object_path(source)}?alt=media", headers)
        if answer.status >= 400 and answer.status != 416:
            answer.raise_error(_no_object(decoded, plain))
        response = answer.to_response()
        if source.resource is not None:
            generation = str(source.resource["generation"])
            response.headers = [
                (k, generation if k.lower() == "x-goog-generation" else v) for k, v in response.headers
            ]
        if request.method == "HEAD":
            response.body, response.length = iter(()), int(answer.headers.get("content-length") or 0)
        return response

    def _list(self, request: Request, bucket: str) -> Response:
        bucket = unquote(bucket)
        self.buckets.require(bucket)
        if is_true(request.query.get("softDeleted")):
            raise ApiError(501, "The local cloud records soft delete policies, but keeps no soft-deleted objects.")
        wanted = ("prefix", "delimiter", "startOffset", "endOffset")
        query = "&".join(f"{k}={quote(request.query[k], safe='')}" for k in wanted if k in request.query)
        if is_true(request.query.get("includeTrailingDelimiter")):
            query += "&includeTrailingDelimiter=true"
        answer = self.upstream.send("GET", f"/storage/v1/b/{quote(bucket, safe='')}/o?{query}")
        answer.raise_error()
        listed = answer.json()
        items = listed.get("items", [])
        for item in items:
            record = self._store.get(_live(bucket), item["name"])
            if record is not None:
                self._add_view(item, record)
        if is_true(request.query.get("versions")):
            items = sorted([*items, *self._noncurrent_items(bucket, request.query)], key=order)
        return Response.of(page(items, listed.get("prefixes", []), request.query))

    def _noncurrent_items(self, bucket: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        documents = (d for _, d in self._store.all(_noncurrent(bucket), prefix))
        return [d for d in documents if not delimiter or delimiter not in d["name"][len(prefix) :]]

    def _source(self, bucket: str, name: str, generation: str | None) -> Source:
        """Where a version lies. Raises ApiError (404)."""
        self.buckets.require(bucket)
        record = self._store.get(_live(bucket), name)
        if record is not None and generation in (None, "", record["generation"]):
            return Source(bucket, name)
        found = self._store.get(_noncurrent(bucket), _version_key(name, generation)) if generation else None
        if found is None:
            raise _no_object(bucket, name)
        return Source(NONCURRENT_BUCKET, _archive_name(bucket, name, str(generation)), found)

    def _require_readable(self, bucket: str, name: str, source: Source) -> None:
        """Raise ApiError (400) if the object's key version is not enabled."""
        described = source.resource if source.resource is not None else self._require_live(bucket, name)
        version = described.get("kmsKeyName")
        if version:
            try:
                self._kms.require_enabled(version)
            except ApiError as e:
                raise disabled_key(e.message) from e

    def _require_live(self, bucket: str, name: str) -> Document:
        record = self._store.get(_live(bucket), name)
        if record is None:
            raise _no_object(bucket, name)
        return record

    def _record(self, resource: Mapping[str, Any], key_version: str | None) -> dict[str, Any]:
        record = {"generation": str(resource["generation"]), "timeCreated": resource["timeCreated"]}
        return {**record, "kmsKeyName": key_version} if key_version else record

    def _add_view(self, resource: dict[str, Any], record: Document) -> None:
        """Turn fake-gcs-server's metadata into Cloud Storage's."""
        resource.pop("acl", None)  # buckets have uniform access
        resource["generation"] = record["generation"]
        if "kmsKeyName" in record:
            resource["kmsKeyName"] = record["kmsKeyName"]

    def _lock_of(self, bucket: str, name: str) -> threading.Lock:
        return self._locks[hash((bucket, name)) % _LOCKS]


def _live(bucket: str) -> str:
    return f"storage/objects/{bucket}"


def _noncurrent(bucket: str) -> str:
    return f"storage/noncurrent/{bucket}"


def _version_key(name: str, generation: str | None) -> str:
    return f"{name}\x1f{generation}"


def _archive_name(bucket: str, name: str, generation: str) -> str:
    return f"{bucket}/{generation}/{name}"


def _path(bucket: str, name: str) -> str:
    return f"/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"


def _object_path(source: Source) -> str:
    return f"/storage/v1{_path(source.bucket, source.name)}"


def _no_object(bucket: str, name: str) -> ApiError:
    return ApiError(404, f"No such object: {bucket}/{name}", reason="notFound")
