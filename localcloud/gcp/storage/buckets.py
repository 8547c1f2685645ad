"""Cloud Storage buckets: their settings and their IAM policies.

REST shapes: https://cloud.google.com/storage/docs/json_api/v1/buckets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, Literal, get_args

from localcloud.gcp import clock
from localcloud.gcp.iam import resources
from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.kms.api import KEY_NAME, Kms, Use
from localcloud.gcp.regions import Regions
from localcloud.gcp.storage.rules import precondition_failed
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, Principal, Request, Response, Routes, not_found

_BUCKETS: Final = "storage/buckets"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_DUAL_REGIONS: Final = frozenset({"ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"})
_MULTI_REGIONS: Final = frozenset({"ASIA", "EU", "US"})
_KEY_LOCATIONS: Final[Mapping[str, str]] = {"EU": "europe"}
"""Bucket location → key location, where they are called differently."""

State = Literal["live", "noncurrent", "softDeleted"]
STATES: Final[tuple[State, ...]] = get_args(State)
"""What a version of an object can be."""

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
        self, store: DocumentStore, kms: Kms, policies: Policies, judge: Judge, agent: Principal, regions: Regions
    ) -> None:
        self._store = store
        self._judge = judge
        self._agent = agent
        self._regions = regions
        self._kms = kms
        self._policies = policies
        self._routes = Routes()
        bucket = r"/b/(?P<name>[^/]+)"
        for method, pattern, handler in (
            ("POST", "/b", self._create),
            ("GET", "/b", self._list),
            ("GET", bucket, self._get),
            ("PATCH", bucket, self._patch),
            ("DELETE", bucket, self._delete),
            ("GET", f"{bucket}/iam", self._get_policy),
            ("GET", f"{bucket}/iam/testPermissions", self._test),
            ("PUT", f"{bucket}/iam", self._set_policy),
        ):
            self._routes.add(method, pattern, handler)

    def handle(self, request: Request, path: str) -> Response:
        """Answer a request for `path` below `/storage/v1`."""
        return self._routes.handle(request, path)

    def require(self, name: str) -> Document:
        """The bucket's settings. Raises ApiError: 404, or 503 while its region is lost."""
        found = self._store.get(_BUCKETS, name)
        if found is None:
            raise not_found("Bucket", name)
        self._regions.require(found["location"])
        return found

    def names(self) -> Iterator[str]:
        """The names of all buckets."""
        return (name for name, _ in self._store.all(_BUCKETS))

    def judge(self, principal: Principal, permission: str, bucket: str) -> None:
        """Raise ApiError: 403 unless the principal has the permission on the bucket, 404, 503."""
        self._judge.require(principal, permission, resources.bucket(self.require(bucket)))

    def judge_object(self, principal: Principal, permission: str, bucket: str, name: str) -> None:
        """Raise ApiError: 403 unless the principal has the permission on the object, 404 for no bucket, 503."""
        self._judge.require(principal, permission, resources.stored(self.require(bucket), name))

    def check_use(self, use: Use, key: str) -> None:
        """Raise ApiError (403) unless Cloud Storage's own agent may encrypt, or decrypt, with a key."""
        decision = self._kms.may(self._agent, use, key)
        if not decision:
            raise ApiError(
                403,
                "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has "
                f"been authorized to use this key: {decision.reason}",
                reason="forbidden",
            )

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
        self.check_use("useToEncrypt", key)

    def _create(self, request: Request) -> Response:
        body = request.json()
        name = str(body.get("name", ""))
        if not _NAME.fullmatch(name):
            raise ApiError(400, f"Invalid bucket name: {name!r}", reason="invalid")
        project = request.query.get("project", "")
        if not project:
            raise ApiError(400, "Required parameter: project", reason="required")
        document = new_bucket(name, project, body)
        self._regions.require(document["location"])
        with self._store.lock:
            if self._store.get(_BUCKETS, name):
                message = "Your previous request to create the named bucket succeeded and you already own it."
                raise ApiError(409, message, reason="conflict")
            self._check(document)
            self._store.put(_BUCKETS, name, document)
        return Response.of(document)

    def _list(self, request: Request) -> Response:
        prefix = request.query.get("prefix", "")
        found = [d for _, d in self._store.all(_BUCKETS, prefix) if d["project"] == request.query.get("project")]
        # `unreachable`: reference of `Buckets: list`, believed.
        listed = {
            "items": [d for d in found if not self._regions.is_lost(d["location"])],
            "unreachable": [f"projects/_/buckets/{d['name']}" for d in found if self._regions.is_lost(d["location"])],
        }
        return Response.of({"kind": "storage#buckets", **{k: v for k, v in listed.items() if v}})

    def _get(self, _request: Request, name: str) -> Response:
        return Response.of(self.require(name))

    def _patch(self, request: Request, name: str) -> Response:
        body = {k: v for k, v in request.json().items() if k not in _COMPUTED}
        with self._store.lock:
            old = self.require(name)
            generation = request.query.get("ifMetagenerationMatch")
            if generation is not None and generation != old["metageneration"]:
                raise precondition_failed()
            new = merged(old, body)
            locked = (old.get("retentionPolicy") or {}).get("isLocked")
            if locked and _retention_seconds(new) < _retention_seconds(old):
                message = "Cannot reduce or remove the retention period of a locked retention policy."
                raise ApiError(403, message, reason="forbidden")
            if new.get("encryption") != old.get("encryption"):
                self._check(new)
            new["metageneration"] = str(int(old["metageneration"]) + 1)
            new["updated"] = clock.now_text()
            return Response.of(self._store.put(_BUCKETS, name, new))

    def _delete(self, _request: Request, name: str) -> Response:
        with self._store.lock:
            self.require(name)
            versions = (v for state in ("live", "noncurrent") for v in self._store.all(kind_of(name, state)))
            if any(True for _ in versions):
                raise ApiError(409, "The bucket you tried to delete is not empty.", reason="conflict")
            for version, _ in self._store.all(kind_of(name, "softDeleted")):
                self._store.delete(kind_of(name, "softDeleted"), version)
            self._store.delete(_BUCKETS, name)
            self._policies.delete(resources.bucket_policy(name))
        return Response(204)

    def _check(self, document: Mapping[str, Any]) -> None:
        key = (document.get("encryption") or {}).get("defaultKmsKeyName")
        if key:
            self.check_key(key, document["location"])

    def _get_policy(self, _request: Request, name: str) -> Response:
        self.require(name)
        return Response.of(self._policy(name))

    def _test(self, request: Request, name: str) -> Response:
        """Whether the caller holds the one permission that is asked for; anybody may ask."""
        permission, on = request.query.get("permissions", ""), resources.bucket(self.require(name))
        held = [permission] if self._judge.decide(request.principal, permission, on) else []
        return Response.of({"kind": "storage#testIamPermissionsResponse", "permissions": held})

    def _set_policy(self, request: Request, name: str) -> Response:
        document = self.require(name)
        body = request.json()
        public = {"allUsers", "allAuthenticatedUsers"}
        prevented = (document.get("iamConfiguration") or {}).get("publicAccessPrevention") == "enforced"
        if prevented and any(public & set(b.get("members", [])) for b in body.get("bindings", [])):
            message = "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access "
            raise ApiError(412, message + "prevention is enforced.", reason="conditionNotMet")
        uniform = (document.get("iamConfiguration") or {}).get("uniformBucketLevelAccess") or {}
        if not uniform.get("enabled") and any(b.get("condition") for b in body.get("bindings", [])):
            # Cloud Storage, "Use IAM Conditions on buckets" (believed, 2026-11-21, the message too).
            raise ApiError(412, "Conditions need uniform bucket-level access.", reason="conditionNotMet")
        self._policies.set(resources.bucket_policy(name), body)
        return Response.of(self._policy(name))

    def _policy(self, name: str) -> dict[str, Any]:
        resource = f"projects/_/buckets/{name}"
        return {"kind": "storage#policy", "resourceId": resource, **self._policies.get(resources.bucket_policy(name))}


def kind_of(bucket: str, state: State) -> str:
    """Where the store keeps a bucket's versions: the live ones by name, the others by name and generation."""
    return f"storage/{state}/{bucket}"


def retention(document: Document) -> timedelta:
    """How long an object may not be removed after its creation."""
    return timedelta(seconds=_retention_seconds(document))


def _retention_seconds(document: Mapping[str, Any]) -> int:
    return int((document.get("retentionPolicy") or {}).get("retentionPeriod") or 0)


def soft_delete(document: Document) -> timedelta:
    """How long a version that is deleted for good can still be restored."""
    return timedelta(seconds=int((document.get("softDeletePolicy") or {}).get("retentionDurationSeconds") or 0))


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
