"""Cloud Storage buckets: their settings, which fake-gcs-server does not keep, and their IAM policies.

REST shapes: https://cloud.google.com/storage/docs/json_api/v1/buckets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from localcloud.gcp import clock
from localcloud.gcp.iam.policies import KEY_USERS, STORAGE_AGENT, Policies
from localcloud.gcp.kms.api import KEY_NAME, Kms
from localcloud.gcp.storage.upstream import Upstream
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, Request, Response, Routes, not_found

_BUCKETS: Final = "storage/buckets"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_DUAL_REGIONS: Final = frozenset({"ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"})
_MULTI_REGIONS: Final = frozenset({"ASIA", "EU", "US"})
_KEY_LOCATIONS: Final[Mapping[str, str]] = {"EU": "europe"}
"""Bucket location → key location, where they are called differently."""

DEFAULT_SOFT_DELETE_SECONDS: Final = 7 * 86400
_COMPUTED: Final = frozenset(
    {
        "kind",
        "id",
        "name",
        "location",
        "locationType",
        "projectNumber",
        "timeCreated",
        "updated",
        "metageneration",
        "etag",
        "selfLink",
        "customPlacementConfig",
        "hierarchicalNamespace",
        "enableObjectRetention",
    }
)


class Buckets:
    """The buckets part of the Cloud Storage API, and what other services ask of it."""

    def __init__(
        self, store: DocumentStore, kms: Kms, policies: Policies, upstream: Upstream, is_empty: Callable[[str], bool]
    ) -> None:
        self._store = store
        self._kms = kms
        self._policies = policies
        self._upstream = upstream
        self._is_empty = is_empty
        self._routes = Routes()
        bucket = r"/b/(?P<name>[^/]+)"
        for method, pattern, handler in (
            ("POST", "/b", self._create),
            ("GET", "/b", self._list),
            ("GET", bucket, self._get),
            ("PATCH", bucket, self._patch),
            ("PUT", bucket, self._update),
            ("DELETE", bucket, self._delete),
            ("GET", f"{bucket}/iam", self._get_policy),
            ("PUT", f"{bucket}/iam", self._set_policy),
            ("GET", f"{bucket}/iam/testPermissions", self._test_permissions),
        ):
            self._routes.add(method, pattern, handler)

    def handle(self, request: Request, path: str) -> Response:
        """Answer a request for `path` below `/storage/v1`."""
        return self._routes.handle(request, path)

    def require(self, name: str) -> Document:
        """The bucket's settings. Raises ApiError (404)."""
        found = self._store.get(_BUCKETS, name)
        if found is None:
            raise not_found("Bucket", name)
        return found

    def grants(self, bucket: str, roles: frozenset[str], agent: str) -> bool:
        """Whether the bucket's policy gives one of `roles` to a service account of this pattern."""
        return self._policies.grants((_policy_name(bucket),), roles, agent)

    def check_key(self, key: str, location: str) -> None:
        """Raise ApiError unless Cloud Storage may encrypt objects of a bucket in `location` with this key."""
        found = KEY_NAME.fullmatch(key)
        if found is None:
            raise ApiError(400, f"Bad Cloud KMS key: {key}", reason="cloudKmsBadKey")
        if not self._kms.exists(key):
            raise ApiError(400, f"Cloud KMS key {key} not found.", reason="cloudKmsEncryptionKeyNotFound")
        wanted = _KEY_LOCATIONS.get(location.upper(), location.lower())
        if found["location"] != wanted:
            message = f"Cloud KMS key location {found['location']} is not allowed for a bucket in {location}."
            raise ApiError(400, message, reason="cloudKmsKeyLocationNotAllowed")
        if not self._kms.granted(key, STORAGE_AGENT, KEY_USERS):
            raise ApiError(
                403,
                "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has "
                f"been authorized to use this key: {key}",
                reason="forbidden",
            )

    def _create(self, request: Request) -> Response:
        body = request.json()
        name = str(body.get("name", ""))
        if not _NAME.fullmatch(name):
            raise ApiError(400, f"Invalid bucket name: {name!r}", reason="invalid")
        project = request.query.get("project", "")
        if not project:
            raise ApiError(400, "Required parameter: project", reason="required")
        document = new_bucket(name, project, body)
        with self._store.lock:
            if self._store.get(_BUCKETS, name):
                message = "Your previous request to create the named bucket succeeded and you already own it."
                raise ApiError(409, message, reason="conflict")
            self._check(document)
            answer = self._upstream.send(
                "POST", "/storage/v1/b", {"content-type": "application/json"}, *_json_body({"name": name})
            )
            if answer.status != 409:  # left over by a deleted bucket's folder
                answer.raise_error()
            answer.read()
            self._store.put(_BUCKETS, name, document)
        return Response.of(document)

    def _list(self, request: Request) -> Response:
        prefix = request.query.get("prefix", "")
        items = [d for _, d in self._store.all(_BUCKETS, prefix) if d["project"] == request.query.get("project")]
        return Response.of({"kind": "storage#buckets", **({"items": items} if items else {})})

    def _get(self, _request: Request, name: str) -> Response:
        return Response.of(self.require(name))

    def _patch(self, request: Request, name: str) -> Response:
        return self._change(request, name, lambda old, body: merged(old, body))

    def _update(self, request: Request, name: str) -> Response:
        def replace(old: Document, body: Mapping[str, Any]) -> dict[str, Any]:
            return {**{k: v for k, v in old.items() if k in {*_COMPUTED, "project"}}, **body}

        return self._change(request, name, replace)

    def _change(
        self, request: Request, name: str, change: Callable[[Document, Mapping[str, Any]], dict[str, Any]]
    ) -> Response:
        body = {k: v for k, v in request.json().items() if k not in _COMPUTED}
        with self._store.lock:
            old = self.require(name)
            generation = request.query.get("ifMetagenerationMatch")
            if generation is not None and generation != old["metageneration"]:
                raise precondition_failed()
            new = change(old, body)
            locked = (old.get("retentionPolicy") or {}).get("isLocked")
            if locked and _retention_seconds(new) < _retention_seconds(old):
                message = "Cannot reduce or remove the retention period of a locked retention policy."
                raise ApiError(403, message, reason="forbidden")
            self._check(new)
            new["metageneration"] = str(int(old["metageneration"]) + 1)
            new["updated"] = clock.now_text()
            return Response.of(self._store.put(_BUCKETS, name, new))

    def _delete(self, _request: Request, name: str) -> Response:
        with self._store.lock:
            self.require(name)
            if not self._is_empty(name):
                raise ApiError(409, "The bucket you tried to delete is not empty.", reason="conflict")
            answer = self._upstream.send("DELETE", f"/storage/v1/b/{quote(name, safe='')}")
            if answer.status != 404:
                answer.raise_error()
            answer.read()
            self._store.delete(_BUCKETS, name)
            self._policies.delete(_policy_name(name))
        return Response(204)

    def _check(self, document: Mapping[str, Any]) -> None:
        key = (document.get("encryption") or {}).get("defaultKmsKeyName")
        if key:
            self.check_key(key, document["location"])

    def _get_policy(self, _request: Request, name: str) -> Response:
        self.require(name)
        return Response.of(self._policy(name))

    def _set_policy(self, request: Request, name: str) -> Response:
        document = self.require(name)
        body = request.json()
        public = {"allUsers", "allAuthenticatedUsers"}
        prevented = (document.get("iamConfiguration") or {}).get("publicAccessPrevention") == "enforced"
        if prevented and any(public & set(b.get("members", [])) for b in body.get("bindings", [])):
            message = "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access "
            raise ApiError(412, message + "prevention is enforced.", reason="conditionNotMet")
        self._policies.set(_policy_name(name), body)
        return Response.of(self._policy(name))

    def _test_permissions(self, request: Request, name: str) -> Response:
        self.require(name)
        asked = request.query.get("permissions", "")
        return Response.of({"kind": "storage#testIamPermissionsResponse", "permissions": [asked] if asked else []})

    def _policy(self, name: str) -> dict[str, Any]:
        resource = f"projects/_/buckets/{name}"
        return {"kind": "storage#policy", "resourceId": resource, **self._policies.get(_policy_name(name))}


def _policy_name(bucket: str) -> str:
    return f"buckets/{bucket}"


def precondition_failed() -> ApiError:
    """The 412 of an `if…Match` parameter."""
    message = "At least one of the pre-conditions you specified did not hold."
    return ApiError(412, message, reason="conditionNotMet")


def retention(document: Document) -> timedelta:
    """How long an object may not be removed after its creation."""
    return timedelta(seconds=_retention_seconds(document))


def _retention_seconds(document: Mapping[str, Any]) -> int:
    return int((document.get("retentionPolicy") or {}).get("retentionPeriod") or 0)


def is_versioned(document: Document) -> bool:
    """Whether the bucket keeps noncurrent versions."""
    return bool((document.get("versioning") or {}).get("enabled"))


def location_type(location: str) -> str:
    """`region`, `dual-region` or `multi-region`."""
    if location in _MULTI_REGIONS:
        return "multi-region"
    return "dual-region" if location in _DUAL_REGIONS else "region"


def new_bucket(name: str, project: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a bucket that is created with `body`, with Cloud Storage's defaults."""
    moment = clock.now_text()
    location = str(body.get("location") or "US").upper()
    soft_delete = {"retentionDurationSeconds": str(DEFAULT_SOFT_DELETE_SECONDS), "effectiveTime": moment}
    defaults = {
        "storageClass": "STANDARD",
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": False},
            "publicAccessPrevention": "inherited",
        },
        "softDeletePolicy": soft_delete,
    }
    document = merged(defaults, {k: v for k, v in body.items() if k not in _COMPUTED})
    document["softDeletePolicy"].setdefault("effectiveTime", moment)
    return {
        **document,
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "project": project,
        "projectNumber": "0",
        "location": location,
        "locationType": location_type(location),
        "timeCreated": moment,
        "updated": moment,
        "metageneration": "1",
        "etag": "CAE=",
        **{k: body[k] for k in ("customPlacementConfig", "hierarchicalNamespace") if k in body},
    }


def merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """JSON merge patch (RFC 7396), which `PATCH` requests are."""
    result = dict(old)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            before = result.get(name)
            result[name] = merged(before if isinstance(before, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def _json_body(value: Any) -> tuple[Any, int]:
    data = json.dumps(value).encode()
    return iter((data,)), len(data)
