"""Calls and their permissions: every method of the emulated APIs has one, and it is a permission that roles hold."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.gcp.iam.methods import needed
from localcloud.gcp.iam.roles import predefined
from localcloud.gcp.wire import Request

L = "projects/acme/locations/europe-west1"
KEY = f"{L}/keyRings/ring/cryptoKeys/data"
CALLS = {
    ("", "GET", "/storage/v1/b"): "storage.buckets.list",
    ("", "POST", "/storage/v1/b"): "storage.buckets.create",
    ("", "GET", "/storage/v1/b/m"): "storage.buckets.get",
    ("", "PATCH", "/storage/v1/b/m"): "storage.buckets.update",
    ("", "DELETE", "/storage/v1/b/m"): "storage.buckets.delete",
    ("", "GET", "/storage/v1/b/m/iam"): "storage.buckets.getIamPolicy",
    ("", "PUT", "/storage/v1/b/m/iam"): "storage.buckets.setIamPolicy",
    ("", "GET", "/storage/v1/b/m/o"): "storage.objects.list",
    ("", "GET", "/storage/v1/b/m/o/a%2Fb"): "storage.objects.get",
    ("", "GET", "/download/storage/v1/b/m/o/a"): "storage.objects.get",
    ("", "PATCH", "/storage/v1/b/m/o/a"): "storage.objects.update",
    ("", "DELETE", "/storage/v1/b/m/o/a"): "storage.objects.delete",
    ("", "POST", "/upload/storage/v1/b/m/o"): "storage.objects.create",
    ("", "POST", "/storage/v1/b/m/o/a/restore"): "storage.objects.restore storage.objects.create",
    ("", "POST", "/storage/v1/b/m/o/a/rewriteTo/b/n/o/a"): "storage.objects.get storage.objects.create",
    ("kms", "POST", f"/v1/{L}/keyRings"): "cloudkms.keyRings.create",
    ("kms", "GET", f"/v1/{L}/keyRings/ring"): "cloudkms.keyRings.get",
    ("kms", "POST", f"/v1/{L}/keyRings/ring/cryptoKeys"): "cloudkms.cryptoKeys.create",
    ("kms", "GET", f"/v1/{KEY}"): "cloudkms.cryptoKeys.get",
    ("kms", "POST", f"/v1/{KEY}:setIamPolicy"): "cloudkms.cryptoKeys.setIamPolicy",
    ("kms", "GET", f"/v1/{L}/keyRings/ring:getIamPolicy"): "cloudkms.keyRings.getIamPolicy",
    ("kms", "POST", f"/v1/{KEY}/cryptoKeyVersions/1:destroy"): "cloudkms.cryptoKeyVersions.destroy",
    ("kms", "PATCH", f"/v1/{KEY}/cryptoKeyVersions/1"): "cloudkms.cryptoKeyVersions.update",
    ("redis", "POST", f"/v1/{L}/instances/f:export"): "redis.instances.export",
    ("redis", "GET", f"/v1/{L}/instances/f/authString"): "redis.instances.getAuthString",
    ("redis", "GET", f"/v1/{L}/operations"): "redis.operations.list",
    ("redis", "GET", f"/v1/{L}/operations/o"): "redis.operations.get",
    ("storagetransfer", "POST", "/v1/transferJobs/c:run"): "storagetransfer.jobs.run",
    ("storagetransfer", "PATCH", "/v1/transferJobs/c"): "storagetransfer.jobs.update",
    ("cloudscheduler", "POST", f"/v1/{L}/jobs/j:resume"): "cloudscheduler.jobs.enable",
    ("iam", "POST", "/v1/projects/acme/roles"): "iam.roles.create",
    ("iam", "POST", "/v1/projects/acme/serviceAccounts/a@b:setIamPolicy"): "iam.serviceAccounts.setIamPolicy",
    ("cloudresourcemanager", "POST", "/v1/projects/acme:setIamPolicy"): "resourcemanager.projects.setIamPolicy",
}


def find_bucket(name: str) -> dict[str, Any]:
    return {"name": name, "project": "acme"}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[1]} {call[0]}{call[2]}")
def test_a_call_needs_its_permission(call: tuple[str, str, str]) -> None:
    service, method, path = call
    needs = needed(service, Request(method, path), path, "acme", find_bucket)
    assert " ".join(permission for permission, _ in needs or ()) == CALLS[call]


def test_every_permission_is_one_that_roles_hold() -> None:
    held = frozenset().union(*predefined().values())
    assert {permission for called in CALLS.values() for permission in called.split()} <= held


@pytest.mark.parametrize(
    ("service", "path"),
    [("", "/storage/v1/b/m/acl"), ("redis", f"/v1/{L}/instances/f:failover"), ("", "/batch/storage/v1"), ("x", "/")],
)
def test_a_call_that_is_not_known_is_nobodys_to_make(service: str, path: str) -> None:
    assert needed(service, Request("POST", path), path, "acme", find_bucket) is None


def test_a_copy_is_judged_on_both_buckets() -> None:
    path = "/storage/v1/b/near/o/a/rewriteTo/b/far/o/b"
    needs = needed("", Request("POST", path), path, "acme", find_bucket)
    assert [resource.name for _, resource in needs or ()] == [
        "projects/_/buckets/near/objects/a",
        "projects/_/buckets/far/objects/b",
    ]
