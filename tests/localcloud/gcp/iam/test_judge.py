"""Who may do what: by roles, policies up to the project's, and conditions; what is not known allows nothing."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.gcp.iam import resources
from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.policies import ACCOUNTS, Policies
from localcloud.gcp.iam.roles import CUSTOM
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import OPERATOR, Principal, service_account

EMAIL = "fleet@acme.iam.gserviceaccount.com"
FLEET = service_account(EMAIL)
MODELS = resources.bucket({"name": "models", "project": "acme"})
RELEASE = resources.stored({"name": "models", "project": "acme"}, "releases/1/model.onnx")
KEY = resources.key("projects/acme/locations/europe-west1/keyRings/ring/cryptoKeys/data")
READ = "storage.objects.get"
VIEWER = "roles/storage.objectViewer"


@pytest.fixture(autouse=True)
def account(store: DocumentStore) -> None:
    store.put(ACCOUNTS, f"projects/acme/serviceAccounts/{EMAIL}", {"email": EMAIL})


def grant(policies: Policies, resource: str, role: str, member: str = FLEET.member, **binding: Any) -> None:
    policies.set(resource, {"bindings": [{"role": role, "members": [member], **binding}]})


def on(expression: str) -> dict[str, Any]:
    return {"condition": {"title": "only", "expression": expression}}


def make_role(store: DocumentStore, *permissions: str, **role: Any) -> str:
    name = "projects/acme/roles/own"
    store.put(CUSTOM, name, {"name": name, "includedPermissions": list(permissions), **role})
    return name


def test_nobody_is_allowed_anything_without_a_grant(judge: Judge) -> None:
    assert not judge.decide(FLEET, READ, RELEASE)


def test_the_operator_is_allowed_everything(judge: Judge) -> None:
    assert judge.decide(OPERATOR, READ, RELEASE)


@pytest.mark.parametrize("policy", ["buckets/models", "projects/acme"])
def test_a_grant_counts_on_the_resource_and_on_its_project(judge: Judge, policies: Policies, policy: str) -> None:
    grant(policies, policy, VIEWER)
    assert judge.decide(FLEET, READ, RELEASE)


@pytest.mark.parametrize("policy", ["buckets/others", "projects/others"])
def test_a_grant_elsewhere_does_not_count(judge: Judge, policies: Policies, policy: str) -> None:
    grant(policies, policy, VIEWER)
    assert not judge.decide(FLEET, READ, RELEASE)


def test_a_key_has_the_grants_of_its_ring(judge: Judge, policies: Policies) -> None:
    grant(policies, KEY.name.rpartition("/cryptoKeys/")[0], "roles/cloudkms.cryptoKeyEncrypterDecrypter")
    assert judge.decide(FLEET, "cloudkms.cryptoKeyVersions.useToDecrypt", KEY)


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        (VIEWER, "storage.objects.create"),
        ("roles/storage.objectCreator", "storage.objects.delete"),
        ("roles/storage.legacyBucketReader", READ),
        ("roles/cloudkms.admin", "cloudkms.cryptoKeyVersions.useToDecrypt"),
        ("roles/cloudkms.cryptoKeyEncrypter", "cloudkms.cryptoKeyVersions.useToDecrypt"),
        ("roles/redis.editor", "redis.instances.export"),
        ("roles/viewer", "redis.instances.getAuthString"),
        ("roles/editor", READ),
    ],
)
def test_a_role_allows_no_more_than_is_in_it(judge: Judge, policies: Policies, role: str, permission: str) -> None:
    for policy in ("buckets/models", "projects/acme"):
        grant(policies, policy, role)
    assert not judge.decide(FLEET, permission, RELEASE)


def test_a_role_that_is_not_known_allows_nothing_and_says_so(judge: Judge, policies: Policies) -> None:
    grant(policies, "buckets/models", "roles/storage.everything")
    assert (
        "roles/storage.everything (which the local cloud does not know)" in judge.decide(FLEET, READ, RELEASE).reason
    )


def test_a_custom_role_allows_what_it_holds(store: DocumentStore, judge: Judge, policies: Policies) -> None:
    grant(policies, "projects/acme", make_role(store, READ))
    assert judge.decide(FLEET, READ, RELEASE)
    assert not judge.decide(FLEET, "storage.objects.delete", RELEASE)


def test_a_disabled_custom_role_allows_nothing(store: DocumentStore, judge: Judge, policies: Policies) -> None:
    grant(policies, "projects/acme", make_role(store, READ, stage="DISABLED"))
    assert not judge.decide(FLEET, READ, RELEASE)


def test_a_custom_role_that_is_gone_allows_nothing(store: DocumentStore, judge: Judge, policies: Policies) -> None:
    role = make_role(store, READ)
    grant(policies, "projects/acme", role)
    store.delete(CUSTOM, role)
    assert not judge.decide(FLEET, READ, RELEASE)


@pytest.mark.parametrize("state", [None, {"email": EMAIL, "disabled": True}])
def test_an_account_that_is_gone_or_disabled_may_nothing(
    store: DocumentStore, judge: Judge, policies: Policies, state: dict[str, Any] | None
) -> None:
    grant(policies, "buckets/models", VIEWER)
    name = f"projects/acme/serviceAccounts/{EMAIL}"
    store.put(ACCOUNTS, name, state) if state else store.delete(ACCOUNTS, name)
    assert EMAIL in judge.decide(FLEET, READ, RELEASE).reason
    assert not judge.decide(FLEET, READ, RELEASE)


def test_everybody_is_everybody(judge: Judge, policies: Policies) -> None:
    grant(policies, "buckets/models", VIEWER, "allUsers")
    assert judge.decide(FLEET, READ, RELEASE)


def test_public_access_prevention_leaves_everybody_out(judge: Judge, policies: Policies) -> None:
    grant(policies, "buckets/models", VIEWER, "allUsers")
    settings = {"name": "models", "project": "acme", "iamConfiguration": {"publicAccessPrevention": "enforced"}}
    assert not judge.decide(FLEET, READ, resources.stored(settings, "a"))


def test_the_owners_of_a_project_are_those_of_its_policy(judge: Judge, policies: Policies) -> None:
    grant(policies, "buckets/models", "roles/storage.legacyBucketOwner", "projectOwner:acme")
    assert not judge.decide(FLEET, "storage.buckets.update", MODELS)
    grant(policies, "projects/acme", "roles/owner")
    assert judge.decide(FLEET, "storage.buckets.update", MODELS)


@pytest.mark.parametrize("member", ["group:all@example.com", "domain:example.com", "user:fleet@example.com"])
def test_nobody_is_taken_to_be_in_a_group(judge: Judge, policies: Policies, member: str) -> None:
    grant(policies, "buckets/models", VIEWER, member)
    assert not judge.decide(FLEET, READ, RELEASE)


def test_a_condition_that_holds_lets_through(judge: Judge, policies: Policies) -> None:
    grant(
        policies, "buckets/models", VIEWER, **on('resource.name.startsWith("projects/_/buckets/models/objects/rel")')
    )
    assert judge.decide(FLEET, READ, RELEASE)


def test_a_condition_that_does_not_hold_denies(judge: Judge, policies: Policies) -> None:
    grant(policies, "buckets/models", VIEWER, **on('request.time < timestamp("2020-01-01T00:00:00Z")'))
    assert "does not hold" in judge.decide(FLEET, READ, RELEASE).reason


def test_a_condition_on_objects_lets_nobody_list_the_bucket(judge: Judge, policies: Policies) -> None:
    grant(policies, "buckets/models", VIEWER, **on('resource.name.startsWith("projects/_/buckets/models/objects/")'))
    assert not judge.decide(FLEET, "storage.objects.list", MODELS)


def test_a_condition_that_is_not_understood_denies_and_is_told(judge: Judge, policies: Policies) -> None:
    expression = 'resource.matchTag("1/env", "prod")'
    grant(policies, "buckets/models", VIEWER, **on(expression))
    assert not judge.decide(FLEET, READ, RELEASE)
    assert judge.not_understood() == [expression]


def test_a_principal_can_be_several_members(judge: Judge, policies: Policies) -> None:
    grant(policies, "buckets/models", VIEWER, "principal://pool/subject/a")
    assert judge.decide(Principal("serviceAccount:pod", frozenset({"principal://pool/subject/a"})), READ, RELEASE)


def test_an_owner_may_not_become_a_service_account(judge: Judge, policies: Policies) -> None:
    grant(policies, "projects/acme", "roles/owner")
    account = resources.account("projects/acme/serviceAccounts/drill@acme.iam.gserviceaccount.com")
    assert not judge.decide(FLEET, "iam.serviceAccounts.getAccessToken", account)
