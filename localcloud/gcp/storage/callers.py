"""What a service account may do in Cloud Storage, by its roles on the bucket.

Permissions of the roles: https://cloud.google.com/storage/docs/access-control/iam-roles (read 2026-11-21). The
operator, who shows no token, may do everything.
"""

from __future__ import annotations

import re
from typing import Final

from localcloud.gcp.iam.policies import BUCKET_READERS, OBJECT_READERS, OBJECT_WRITERS
from localcloud.gcp.storage.buckets import Buckets
from localcloud.gcp.wire import ApiError, Request

_BUCKET: Final = re.compile(r"(?:/upload|/download)?/storage/v1/b/(?P<bucket>[^/]+)(?P<rest>/.*)?")
_ADMINS: Final = frozenset({"roles/storage.admin"})
_LISTERS: Final = frozenset(
    {*OBJECT_READERS, "roles/storage.legacyBucketReader", "roles/storage.legacyBucketWriter"}
) - {"roles/storage.legacyObjectReader"}
_OVERWRITERS: Final = OBJECT_WRITERS - {"roles/storage.objectCreator"}


def needed(method: str, rest: str) -> tuple[str, frozenset[str]]:
    """The permission that a call on a bucket, or on what is below it, needs, and the roles that have it."""
    if not rest:
        return ("storage.buckets.get", BUCKET_READERS) if method == "GET" else ("storage.buckets.update", _ADMINS)
    if rest == "/o" and method == "GET":
        return "storage.objects.list", _LISTERS
    if rest.startswith("/iam"):
        return "storage.buckets.getIamPolicy", _ADMINS
    if method in ("GET", "HEAD"):
        return "storage.objects.get", OBJECT_READERS
    if method == "DELETE":
        return "storage.objects.delete", _OVERWRITERS
    return "storage.objects.create", OBJECT_WRITERS


def check(request: Request, email: str, buckets: Buckets) -> None:
    """Raise ApiError (403) unless the service account may make this call."""
    found = _BUCKET.fullmatch(request.path)
    if found is None:
        raise ApiError(403, f"{email} may not call {request.method} {request.path}.", reason="forbidden")
    bucket = found["bucket"]
    permission, roles = needed(request.method, found["rest"] or "")
    if not buckets.grants(bucket, roles, re.escape(email)):
        message = f"{email} does not have {permission} access to the Google Cloud Storage bucket {bucket}."
        raise ApiError(403, message, reason="forbidden")
