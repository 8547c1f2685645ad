"""Which permission a call of an emulated API needs, and on what: the APIs' own tables.

Buckets: https://cloud.google.com/storage/docs/access-control/iam-json (its rows on buckets read 2026-11-21).
Believed: the same table's rows on objects; Cloud KMS',
https://cloud.google.com/kms/docs/reference/permissions-and-roles; the others, for which the predefined roles in
github.com/iann0036/iam-dataset have permissions of these names. To write an object over takes
`storage.objects.delete` too, which Cloud Storage asks for when it sees that there is one (believed).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from localcloud.gcp.iam import resources
from localcloud.gcp.iam.resources import Resource
from localcloud.gcp.store import Document
from localcloud.gcp.wire import Request

Need = tuple[str, Resource]
"""A permission, and what it must be held on."""

_PROJECT: Final = r"/v1/(?P<name>projects/[^/:]+)"
_LOCATION: Final = rf"{_PROJECT[:-1]}/locations/[^/:]+)"
_KMS: Final = r"/v1/(?P<name>projects/[^/]+/locations/[^/]+/keyRings/[^/:]+(?:/cryptoKeys/[^/:]+)?)"
_VERSION: Final = rf"{_KMS}/cryptoKeyVersions"
_REDIS: Final = r"/v1/(?P<name>projects/[^/]+/locations/[^/]+/instances/[^/:]+)"
_JOB: Final = r"/v1/(?P<name>projects/[^/]+/locations/[^/]+/jobs/[^/:]+)"
_ACCOUNT: Final = r"/v1/(?P<name>projects/[^/]+/serviceAccounts/[^/:]+)"
_ROLE: Final = r"/v1/(?P<name>projects/[^/]+/roles/[^/:]+)"

_NAMED: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("kms", "POST", rf"{_LOCATION}/keyRings", "cloudkms.keyRings.create"),
    ("kms", "GET", r"/v1/(?P<name>projects/[^/]+/locations/[^/]+/keyRings/[^/:]+)", "cloudkms.keyRings.get"),
    ("kms", "POST", rf"{_KMS}/cryptoKeys", "cloudkms.cryptoKeys.create"),
    ("kms", "GET", _KMS, "cloudkms.cryptoKeys.get"),
    ("kms", "PATCH", _KMS, "cloudkms.cryptoKeys.update"),
    ("kms", "GET", _VERSION, "cloudkms.cryptoKeyVersions.list"),
    ("kms", "GET", rf"{_VERSION}/\d+", "cloudkms.cryptoKeyVersions.get"),
    ("kms", "PATCH", rf"{_VERSION}/\d+", "cloudkms.cryptoKeyVersions.update"),
    ("kms", "POST", rf"{_VERSION}/\d+:destroy", "cloudkms.cryptoKeyVersions.destroy"),
    ("kms", "POST", rf"{_VERSION}/\d+:restore", "cloudkms.cryptoKeyVersions.restore"),
    ("redis", "POST", rf"{_LOCATION}/instances", "redis.instances.create"),
    ("redis", "GET", rf"{_LOCATION}/instances", "redis.instances.list"),
    ("redis", "GET", _REDIS, "redis.instances.get"),
    ("redis", "PATCH", _REDIS, "redis.instances.update"),
    ("redis", "DELETE", _REDIS, "redis.instances.delete"),
    ("redis", "GET", rf"{_REDIS}/authString", "redis.instances.getAuthString"),
    ("redis", "POST", rf"{_REDIS}:upgrade", "redis.instances.upgrade"),
    ("redis", "POST", rf"{_REDIS}:export", "redis.instances.export"),
    ("redis", "POST", rf"{_REDIS}:import", "redis.instances.import"),
    ("redis", "GET", rf"{_LOCATION}/operations", "redis.operations.list"),
    ("redis", "GET", rf"{_LOCATION}/operations/[^/:]+", "redis.operations.get"),
    ("cloudscheduler", "POST", rf"{_LOCATION}/jobs", "cloudscheduler.jobs.create"),
    ("cloudscheduler", "GET", _JOB, "cloudscheduler.jobs.get"),
    ("cloudscheduler", "PATCH", _JOB, "cloudscheduler.jobs.update"),
    ("cloudscheduler", "DELETE", _JOB, "cloudscheduler.jobs.delete"),
    ("cloudscheduler", "POST", f"{_JOB}:run", "cloudscheduler.jobs.run"),
    ("cloudscheduler", "POST", f"{_JOB}:pause", "cloudscheduler.jobs.pause"),
    ("cloudscheduler", "POST", f"{_JOB}:resume", "cloudscheduler.jobs.enable"),
    ("iam", "POST", f"{_PROJECT}/roles", "iam.roles.create"),
    ("iam", "GET", _ROLE, "iam.roles.get"),
    ("iam", "PATCH", _ROLE, "iam.roles.update"),
    ("iam", "DELETE", _ROLE, "iam.roles.delete"),
    ("iam", "POST", f"{_PROJECT}/serviceAccounts", "iam.serviceAccounts.create"),
    ("iam", "GET", _ACCOUNT, "iam.serviceAccounts.get"),
    ("iam", "PATCH", _ACCOUNT, "iam.serviceAccounts.update"),
    ("iam", "DELETE", _ACCOUNT, "iam.serviceAccounts.delete"),
    ("iam", "POST", f"{_ACCOUNT}:getIamPolicy", "iam.serviceAccounts.getIamPolicy"),
    ("iam", "POST", f"{_ACCOUNT}:setIamPolicy", "iam.serviceAccounts.setIamPolicy"),
    ("cloudresourcemanager", "POST", f"{_PROJECT}:getIamPolicy", "resourcemanager.projects.getIamPolicy"),
    ("cloudresourcemanager", "POST", f"{_PROJECT}:setIamPolicy", "resourcemanager.projects.setIamPolicy"),
    ("serviceusage", "POST", rf"{_PROJECT}/services/[a-z.]+:generateServiceIdentity", "serviceusage.services.enable"),
    ("serviceusage", "GET", rf"{_PROJECT}/services/[a-z.]+:agent", "serviceusage.services.get"),
)
"""Service, method, path with the resource's name, permission."""
_TRANSFERS: Final[tuple[tuple[str, str, str], ...]] = (
    ("POST", r"/v1/transferJobs", "storagetransfer.jobs.create"),
    ("GET", r"/v1/transferJobs/[^/:]+", "storagetransfer.jobs.get"),
    ("PATCH", r"/v1/transferJobs/[^/:]+", "storagetransfer.jobs.update"),
    ("DELETE", r"/v1/transferJobs/[^/:]+", "storagetransfer.jobs.delete"),
    ("POST", r"/v1/transferJobs/[^/:]+:run", "storagetransfer.jobs.run"),
    ("GET", r"/v1/transferOperations/[^/:]+", "storagetransfer.operations.get"),
)
_KMS_POLICY: Final = re.compile(rf"{_KMS}:(?P<verb>[gs]etIamPolicy)")
_BUCKET: Final = re.compile(r"(?:/upload|/download)?/storage/v1/b/(?P<bucket>[^/]+)(?P<rest>/.*)?")
_REWRITE: Final = re.compile(r"/o/(?P<name>[^/]+)/rewriteTo/b/(?P<bucket>[^/]+)/o/(?P<copy>[^/]+)")
_RESTORE: Final = re.compile(r"/o/(?P<name>[^/]+)/restore")
_OBJECT: Final = re.compile(r"/o/(?P<name>[^/]+)")
_ON_OBJECTS: Final = {"GET": "get", "HEAD": "get", "PATCH": "update", "DELETE": "delete"}
_ON_BUCKETS: Final = {"GET": "get", "PATCH": "update", "DELETE": "delete"}
_TYPES: Final = {
    "redis": "redis.googleapis.com/Instance",
    "cloudscheduler": "cloudscheduler.googleapis.com/Job",
    "cloudresourcemanager": "cloudresourcemanager.googleapis.com/Project",
    "serviceusage": "serviceusage.googleapis.com/Service",
}

FindBucket = Callable[[str], Document]


def needed(service: str, request: Request, path: str, project: str, find_bucket: FindBucket) -> list[Need] | None:
    """What a call needs; None for one that is not known here, which nobody but the operator may make.

    Args:
        service: the first segment of the path; empty for Cloud Storage.
        path: without that segment, percent-encoded.
        project: the id of the project, for calls that name none.
        find_bucket: a bucket's settings by its name; raises ApiError.
    """
    if not service:
        return _of_storage(request, path, find_bucket)
    if service == "storagetransfer":
        found = (permission for method, pattern, permission in _TRANSFERS
                 if method == request.method and re.fullmatch(pattern, path))  # fmt: skip
        permission = next(found, None)
        return [(permission, resources.project(project))] if permission else None
    if service == "cloudresourcemanager" and path.endswith(":testIamPermissions"):
        return []  # anybody may ask what they may do
    policy = _KMS_POLICY.fullmatch(path) if service == "kms" else None
    if policy is not None:
        noun = "cryptoKeys" if "/cryptoKeys/" in policy["name"] else "keyRings"
        return [(f"cloudkms.{noun}.{policy['verb']}", resources.key(policy["name"]))]
    for of, method, pattern, permission in _NAMED:
        match = re.fullmatch(pattern, path) if of == service and method == request.method else None
        if match is not None:
            return [(permission, _resource(service, unquote(match["name"])))]
    return None


def _resource(service: str, name: str) -> Resource:
    if service == "kms" and "/keyRings/" in name:
        return resources.key(name)
    if service == "iam" and "/serviceAccounts/" in name:
        return resources.account(name)
    return resources.of_project(name, _TYPES.get(service, "cloudresourcemanager.googleapis.com/Project"))


def _of_storage(request: Request, path: str, find_bucket: FindBucket) -> list[Need] | None:
    method = request.method
    if path in ("/storage/v1/b", "/storage/v1/b/"):
        verb = {"GET": "list", "POST": "create"}.get(method)
        return [(f"storage.buckets.{verb}", resources.project(request.query.get("project", "")))] if verb else None
    found = _BUCKET.fullmatch(path)
    if found is None:
        return None
    document, rest = find_bucket(unquote(found["bucket"])), found["rest"] or ""
    if path.startswith("/upload/"):
        if request.query.get("upload_id"):
            return []  # who began it was judged; the session's address is what lets one go on
        return [("storage.objects.create", resources.stored(document, request.query.get("name", "")))]
    if not rest:
        verb = _ON_BUCKETS.get(method)
        return [(f"storage.buckets.{verb}", resources.bucket(document))] if verb else None
    if rest == "/iam/testPermissions":
        return []
    if rest == "/iam":
        verb = {"GET": "getIamPolicy", "PUT": "setIamPolicy"}.get(method)
        return [(f"storage.buckets.{verb}", resources.bucket(document))] if verb else None
    if rest in ("/o", "/o/") and method == "GET":
        return [("storage.objects.list", resources.bucket(document))]
    return _of_objects(method, rest, document, find_bucket)


def _of_objects(method: str, rest: str, document: Document, find_bucket: FindBucket) -> list[Need] | None:
    copied = _REWRITE.fullmatch(rest)
    if copied is not None and method == "POST":
        target = find_bucket(unquote(copied["bucket"]))
        return [
            ("storage.objects.get", resources.stored(document, unquote(copied["name"]))),
            ("storage.objects.create", resources.stored(target, unquote(copied["copy"]))),
        ]
    restored = _RESTORE.fullmatch(rest)
    if restored is not None and method == "POST":
        target = resources.stored(document, unquote(restored["name"]))
        return [("storage.objects.restore", target), ("storage.objects.create", target)]
    found = _OBJECT.fullmatch(rest)
    verb = _ON_OBJECTS.get(method)
    if found is None or verb is None:
        return None
    return [(f"storage.objects.{verb}", resources.stored(document, unquote(found["name"])))]
