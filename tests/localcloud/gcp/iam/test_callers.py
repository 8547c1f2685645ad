"""Calls with a token: each is judged by what its account holds, and keys by what the service's agent holds."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import requests

from common.gcp_api import GcpError

PROJECT = "acme"
REGION = "europe-west1"


class Caller:
    """A service account that calls Cloud Storage."""

    def __init__(self, cloud: Any) -> None:
        account = f"caller-{uuid4().hex[:8]}"
        made = cloud.api.post("iam", f"v1/projects/{PROJECT}/serviceAccounts", {"accountId": account})
        self.name, self.member = made["name"], f"serviceAccount:{made['email']}"
        self.url = cloud.target.gcp_endpoint_url
        path = f"{self.url}/iamcredentials/v1/projects/-/serviceAccounts/{made['email']}:generateAccessToken"
        self._headers = {"Authorization": f"Bearer {requests.post(path, timeout=9).json()['accessToken']}"}

    def __call__(self, method: str, path: str, **options: Any) -> int:
        return requests.request(method, f"{self.url}/{path}", headers=self._headers, timeout=9, **options).status_code


@pytest.fixture
def caller(light_cloud: Any) -> Caller:
    return Caller(light_cloud)


@pytest.fixture
def bucket(light_cloud: Any) -> str:
    """A bucket under a key, with one object."""
    name = light_cloud.make_bucket("models", REGION, light_cloud.make_key(REGION))
    light_cloud.api.storage_client().bucket(name).blob("a").upload_from_string(b"bytes")
    return name


def upload(caller: Caller, bucket: str, name: str) -> int:
    return caller("POST", f"upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}", data=b"x")


def test_a_reader_reads_and_does_no_more(light_cloud: Any, caller: Caller, bucket: str) -> None:
    light_cloud.grant(bucket, caller.member, "roles/storage.objectViewer")
    assert caller("GET", f"storage/v1/b/{bucket}/o/a?alt=media") == 200
    assert caller("GET", f"storage/v1/b/{bucket}/o") == 200
    assert caller("GET", f"storage/v1/b/{bucket}") == 403
    assert caller("DELETE", f"storage/v1/b/{bucket}/o/a") == 403
    assert upload(caller, bucket, "b") == 403


def test_a_creator_writes_but_nothing_over(light_cloud: Any, caller: Caller, bucket: str) -> None:
    light_cloud.grant(bucket, caller.member, "roles/storage.objectCreator")
    assert (upload(caller, bucket, "b"), upload(caller, bucket, "a")) == (200, 403)


def test_a_disabled_account_may_do_nothing_any_more(light_cloud: Any, caller: Caller, bucket: str) -> None:
    light_cloud.grant(bucket, caller.member, "roles/storage.objectViewer")
    light_cloud.api.patch("iam", f"v1/{caller.name}", {"serviceAccount": {"disabled": True}})
    assert caller("GET", f"storage/v1/b/{bucket}/o/a") == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"redis/v1/projects/{PROJECT}/locations/{REGION}/instances"),
        ("POST", f"kms/v1/projects/{PROJECT}/locations/{REGION}/keyRings?keyRingId=other"),
        ("POST", f"cloudresourcemanager/v1/projects/{PROJECT}:getIamPolicy"),
        ("GET", "_local/health"),
    ],
)
def test_other_services_judge_too(caller: Caller, method: str, path: str) -> None:
    assert caller(method, path) == 403


def test_one_account_becomes_another_only_with_the_right_to(light_cloud: Any, caller: Caller) -> None:
    other = Caller(light_cloud)
    path = f"iamcredentials/v1/projects/-/serviceAccounts/{other.name.rpartition('/')[2]}:generateAccessToken"
    assert caller("POST", path) == 403
    binding = {"role": "roles/iam.serviceAccountTokenCreator", "members": [caller.member]}
    light_cloud.api.post("iam", f"v1/{other.name}:setIamPolicy", {"policy": {"bindings": [binding]}})
    assert caller("POST", path) == 200


@pytest.mark.parametrize("role", [None, "roles/cloudkms.admin", "roles/cloudkms.cryptoKeyEncrypter"])
def test_without_a_grant_to_cloud_storage_its_objects_cannot_be_read(
    light_cloud: Any, bucket: str, role: str | None
) -> None:
    key = light_cloud.api.get("storage", f"storage/v1/b/{bucket}")["encryption"]["defaultKmsKeyName"]
    agent = "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
    bindings = [{"role": role, "members": [agent]}] if role else []
    light_cloud.api.post("kms", f"v1/{key}:setIamPolicy", {"policy": {"bindings": bindings}})
    with pytest.raises(GcpError, match="authorized to use this key"):
        light_cloud.api.get("storage", f"storage/v1/b/{bucket}/o/a", {"alt": "media"})


def test_a_grant_to_another_projects_agent_is_none(light_cloud: Any, bucket: str) -> None:
    key = light_cloud.api.get("storage", f"storage/v1/b/{bucket}")["encryption"]["defaultKmsKeyName"]
    agent = "serviceAccount:service-2@gs-project-accounts.iam.gserviceaccount.com"
    binding = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [agent]}
    light_cloud.api.post("kms", f"v1/{key}:setIamPolicy", {"policy": {"bindings": [binding]}})
    with pytest.raises(GcpError, match="authorized to use this key"):
        light_cloud.api.get("storage", f"storage/v1/b/{bucket}/o/a", {"alt": "media"})


def test_conditions_on_a_bucket_need_uniform_access(light_cloud: Any, caller: Caller, bucket: str) -> None:
    binding = {"role": "roles/storage.objectViewer", "members": [caller.member], "condition": {"expression": "true"}}
    with pytest.raises(GcpError, match="uniform"):
        light_cloud.api.put("storage", f"storage/v1/b/{bucket}/iam", {"bindings": [binding]})
