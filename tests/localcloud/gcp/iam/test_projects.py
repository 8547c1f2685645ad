"""A project's accounts, roles and policy: who and what a grant names must exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.iam.projects import Projects
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError

Call = Callable[..., dict[str, Any]]
EMAIL = "exporter@acme.iam.gserviceaccount.com"


@pytest.fixture
def projects(store: DocumentStore, policies: Policies, judge: Judge) -> Projects:
    return Projects(store, policies, judge)


@pytest.fixture
def call(projects: Projects, caller: Callable[..., Call]) -> Call:
    return caller(projects.handle)


def grant(call: Call, role: str, member: str = f"serviceAccount:{EMAIL}") -> None:
    call("POST", "/v1/projects/acme:setIamPolicy", {"policy": {"bindings": [{"role": role, "members": [member]}]}})


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


def test_a_condition_on_a_basic_role_is_refused(call: Call) -> None:
    binding = {"role": "roles/editor", "members": ["user:a@example.com"], "condition": {"expression": "true"}}
    with pytest.raises(ApiError, match="basic role"):
        call("POST", "/v1/projects/acme:setIamPolicy", {"policy": {"bindings": [binding]}})
