"""Who may do what in a project: accounts and roles must exist, and grants decide what a scheduler job may call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.iam.projects import Projects, permission_of
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError

Call = Callable[..., dict[str, Any]]
EMAIL = "exporter@acme.iam.gserviceaccount.com"
EXPORT = "redis.instances.export"


@pytest.fixture
def projects(store: DocumentStore, policies: Policies) -> Projects:
    return Projects(store, policies)


@pytest.fixture
def call(projects: Projects, caller: Callable[..., Call]) -> Call:
    return caller(projects.handle)


@pytest.fixture
def account(call: Call) -> str:
    return call("POST", "/v1/projects/acme/serviceAccounts", {"accountId": "exporter"})["email"]


def grant(call: Call, role: str, member: str = f"serviceAccount:{EMAIL}") -> None:
    call("POST", "/v1/projects/acme:setIamPolicy", {"policy": {"bindings": [{"role": role, "members": [member]}]}})


def make_role(call: Call, *permissions: str) -> str:
    body = {"roleId": "export", "role": {"includedPermissions": list(permissions)}}
    return call("POST", "/v1/projects/acme/roles", body)["name"]


def test_a_custom_role_with_the_permission_suffices(projects: Projects, call: Call, account: str) -> None:
    grant(call, make_role(call, EXPORT))
    assert projects.refusal("acme", account, EXPORT) is None


def test_a_custom_role_without_the_permission_does_not(projects: Projects, call: Call, account: str) -> None:
    grant(call, make_role(call, "redis.instances.get"))
    assert "lacks the permission" in str(projects.refusal("acme", account, EXPORT))


def test_an_account_without_a_role_may_nothing(projects: Projects, account: str) -> None:
    assert "it has no role" in str(projects.refusal("acme", account, EXPORT))


def test_an_account_that_does_not_exist_may_nothing(projects: Projects) -> None:
    assert "does not exist" in str(projects.refusal("acme", EMAIL, EXPORT))


@pytest.mark.parametrize(
    ("role", "member"),
    [
        ("roles/viewer", "serviceAccount:nobody@acme.iam.gserviceaccount.com"),
        ("projects/acme/roles/missing", "user:a@example.com"),
    ],
)
def test_a_grant_of_or_to_what_does_not_exist_is_refused(call: Call, role: str, member: str) -> None:
    with pytest.raises(ApiError, match="does not exist"):
        grant(call, role, member)


def test_service_agents_need_not_be_made(call: Call) -> None:
    grant(call, "roles/viewer", "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com")


def test_an_export_needs_the_export_permission() -> None:
    path = "/v1/projects/acme/locations/europe-west1/instances/features:export"
    assert permission_of("redis", path) == ("acme", EXPORT)
